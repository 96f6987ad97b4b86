import { createHash } from 'node:crypto';
import { NightmillError } from '../errors.ts';

/**
 * `read` sees its tenant's batches, `submit` may add and end them too, `metrics` reads figures of the whole cluster and
 * nothing else, `operate` may do everything for all tenants.
 */
export const RIGHTS = ['read', 'submit', 'metrics', 'operate'] as const;
export type Right = (typeof RIGHTS)[number];

/** A key without its secret, of which only the hash is kept. */
export interface ApiKey {
  readonly name: string;
  /** SHA-256 of the secret in hex. */
  readonly hash: string;
  /** Whose batches it is for. Absent: those without a tenant. */
  readonly tenant?: string;
  readonly rights: readonly Right[];
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly expiresAt?: number;
  readonly revokedAt?: number;
}

export interface KeyRegistry {
  /** False where the name is taken, also by a revoked key. */
  add(key: ApiKey): Promise<boolean>;
  /** By name. */
  list(): Promise<readonly ApiKey[]>;
  findByHash(hash: string): Promise<ApiKey | undefined>;
  /** The key as it was, or undefined where there is none of that name. */
  revoke(name: string, at: number): Promise<ApiKey | undefined>;
}

/** Who asks, and for what it may ask. */
export interface Caller {
  /** As the audit log names it. */
  readonly name: string;
  readonly tenant?: string;
  readonly rights: ReadonlySet<Right>;
}

const SECRET = /^nm_[A-Za-z0-9_-]{43}$/;

/** @param random 32 random bytes */
export function keySecret(random: Uint8Array): string {
  return `nm_${Buffer.from(random).toString('base64url')}`;
}

/** A secret has 256 random bits, so a plain hash cannot be guessed from. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

export function isSecret(text: string): boolean {
  return SECRET.test(text);
}

/** Why a key is good for nothing now, as the end of a sentence; undefined: it is good. */
export function whyInvalid(key: ApiKey | undefined, now: number): string | undefined {
  if (key === undefined) return 'is not known';
  if (key.revokedAt !== undefined) return `${JSON.stringify(key.name)} was revoked`;
  if (key.expiresAt !== undefined && key.expiresAt <= now) {
    return `${JSON.stringify(key.name)} expired at ${new Date(key.expiresAt).toISOString()}`;
  }
  return undefined;
}

/** An operator may do everything; whoever may submit may also read. */
export function hasRight({ rights }: Caller, right: Right): boolean {
  return rights.has('operate') || rights.has(right) || (right === 'read' && rights.has('submit'));
}

/** @throws {NightmillError} `right_missing` */
export function requireRight(caller: Caller, right: Right): void {
  if (hasRight(caller, right)) return;
  const own = [...caller.rights].join(', ') || 'none';
  throw new NightmillError(
    'right_missing',
    `The key ${JSON.stringify(caller.name)} may not ${right}; its rights: ${own}.`,
  );
}

/** Whether what belongs to a tenant, or to none, exists for this caller. */
export function maySee({ tenant, rights }: Caller, owner: string | undefined): boolean {
  return rights.has('operate') || owner === tenant;
}
