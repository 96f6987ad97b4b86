import {
  type ApiKey,
  type Caller,
  hashSecret,
  isSecret,
  keySecret,
  RIGHTS,
  type Right,
  whyInvalid,
} from '../access/api-key.ts';
import type { App } from '../app.ts';
import { NightmillError } from '../errors.ts';
import { writeAudit } from './audit.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export interface CreateKey {
  readonly name: string;
  readonly tenant?: string | undefined;
  readonly rights: readonly Right[];
  /** Milliseconds since the epoch. */
  readonly expiresAt?: number | undefined;
}

/**
 * Makes a key. Its secret is in the answer and nowhere else.
 *
 * @param random 32 random bytes
 * @throws {NightmillError} `usage`: the name is taken or cannot be one
 */
export async function createKey(
  app: App,
  { name, tenant, rights, expiresAt }: CreateKey,
  random: Uint8Array,
): Promise<{ readonly secret: string; readonly key: ApiKey }> {
  if (!NAME.test(name)) {
    throw new NightmillError(
      'usage',
      `Cannot name a key ${JSON.stringify(name)}: use letters, digits, dots, - and _, at most 64.`,
    );
  }
  const secret = keySecret(random);
  const key: ApiKey = {
    name,
    hash: hashSecret(secret),
    rights,
    createdAt: app.clock.now(),
    ...(tenant === undefined ? {} : { tenant }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  };
  if (!(await app.apiKeys.add(key))) {
    throw new NightmillError(
      'usage',
      `There is a key ${JSON.stringify(name)} already. Choose another name; a revoked one stays taken.`,
    );
  }
  await writeAudit(app, 'key:create', name, undefined, [rights.join(','), tenant ?? ''].join(' ').trim());
  return { secret, key };
}

/** @throws {NightmillError} `usage`: there is none of that name */
export async function revokeKey(app: App, name: string): Promise<void> {
  const before = await app.apiKeys.revoke(name, app.clock.now());
  if (before === undefined) {
    const known = (await app.apiKeys.list()).map((key) => key.name).join(', ') || 'none';
    throw new NightmillError('usage', `There is no key ${JSON.stringify(name)}; known: ${known}.`);
  }
  if (before.revokedAt !== undefined) return;
  await writeAudit(app, 'key:revoke', name);
  await app.breaker.notify({
    event: 'key:revoked',
    subject: name,
    message: `The API key ${name} was revoked by ${app.actor}: who uses it is refused from now on.`,
    key: `${name}|${app.clock.now()}`,
  });
}

/** @throws {NightmillError} `key_invalid` */
export async function callerOf(app: Pick<App, 'apiKeys' | 'clock'>, secret: string): Promise<Caller> {
  const key = isSecret(secret) ? await app.apiKeys.findByHash(hashSecret(secret)) : undefined;
  const why = whyInvalid(key, app.clock.now());
  if (key === undefined || why !== undefined) {
    throw new NightmillError('key_invalid', `The API key ${why ?? 'is not known'}. nightmill key create makes one.`);
  }
  const { name, tenant, rights } = key;
  return { name, rights: new Set(rights), ...(tenant === undefined ? {} : { tenant }) };
}

/** @throws {NightmillError} `usage`: none, or one that there is not */
export function readRights(text: string): readonly Right[] {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !RIGHTS.some((right) => right === name));
  if (unknown === undefined) return RIGHTS.filter((right) => names.includes(right));
  throw new NightmillError(
    'usage',
    `There is no right ${JSON.stringify(unknown)}: use ${RIGHTS.join(', ')}, with commas.`,
  );
}

/** A key as JSON gives it: without its hash. */
export function keyJson({ name, tenant, rights, createdAt, expiresAt, revokedAt }: ApiKey, now: number): object {
  const time = (at: number | undefined) => (at === undefined ? null : new Date(at).toISOString());
  return {
    name,
    tenant: tenant ?? null,
    rights,
    state: revokedAt !== undefined ? 'revoked' : expiresAt !== undefined && expiresAt <= now ? 'expired' : 'good',
    createdAt: time(createdAt),
    expiresAt: time(expiresAt),
    revokedAt: time(revokedAt),
  };
}
