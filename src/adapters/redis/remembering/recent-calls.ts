import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { CallTicket, Outcome, SliceClaim } from '../../../ledger/ledger.ts';
import type { PoolLimits } from '../../../ledger/pool-limits.ts';
import type { QuotaNeed } from '../../../ledger/quota-need.ts';
import type { Scope } from '../../../ledger/scope.ts';

/** A call and how it ended. */
export interface EndedCall {
  readonly ticket: CallTicket;
  readonly outcome: Outcome;
}

/** Packed together, and forgotten at once. */
const CHUNK_BYTES = 262_144;
/** Lines are so alike that more effort saves nothing: a seventh is left, for 1.3 microseconds a call. */
const QUICKLY = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
/** The number of what is shared, a space and the end of the line. */
const PLACE_BYTES = 12;
/** Of one unit of a string, at most. */
const UTF8_BYTES = 3;

/** What the calls of a slice have in common; kept as it is, because they share the objects. */
interface Shared {
  readonly claim: SliceClaim;
  readonly scopes: readonly Scope[];
  readonly limits: PoolLimits | undefined;
  readonly lease: string | undefined;
}

/** A line has the place of what it shares, and JSON of the rest. */
interface Written {
  readonly endedAt: number;
  readonly ticket: Omit<CallTicket, 'claim' | 'scopes' | 'quota' | 'lease'>;
  readonly need?: Omit<QuotaNeed, 'limits'>;
  readonly outcome: Outcome;
}

interface Chunk {
  readonly packed: Buffer;
  readonly shared: readonly Shared[];
  /** When the last call of it ended. */
  readonly last: number;
}

/**
 * The calls that have ended in the last seconds, oldest first. They lie as packed bytes outside of the heap: many thousands of
 * objects that live for seconds are copied twice and then marked again and again by the collector.
 */
export class RecentCalls {
  readonly #chunks: Chunk[] = [];
  /** The lines that are not packed yet. */
  readonly #lines = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  #used = 0;
  #shared: Shared[] = [];
  #last = 0;

  /** @param endedAt milliseconds of the monotonic clock */
  add(endedAt: number, { ticket, outcome }: EndedCall): void {
    const { claim, scopes, quota, lease } = ticket;
    const json = JSON.stringify({ endedAt, ticket: ownOf(ticket), need: quota && needOf(quota), outcome });
    const most = json.length * UTF8_BYTES + PLACE_BYTES;
    if (this.#used + most > CHUNK_BYTES) this.#pack();
    const line = `${placeOf(this.#shared, { claim, scopes, limits: quota?.limits, lease })} ${json}\n`;
    this.#last = endedAt;
    if (most > CHUNK_BYTES) this.#pack(Buffer.from(line));
    else this.#used += this.#lines.write(line, this.#used);
  }

  /** @param before milliseconds of the monotonic clock; what is forgotten ended earlier, and some of that is kept */
  forget(before: number): void {
    while (this.#chunks[0] !== undefined && this.#chunks[0].last < before) this.#chunks.shift();
  }

  /** @param start milliseconds of the monotonic clock; those that ended then or later */
  *since(start: number): Generator<EndedCall> {
    this.#pack();
    for (const { packed, shared } of this.#chunks) {
      for (const line of zstdDecompressSync(packed).toString().split('\n')) {
        if (line === '') continue;
        const space = line.indexOf(' ');
        const { endedAt, ticket, need, outcome } = JSON.parse(line.slice(space)) as Written;
        const common = shared[Number(line.slice(0, space))];
        if (common === undefined || endedAt < start) continue;
        const { claim, scopes, limits = {}, lease } = common;
        yield {
          ticket: {
            ...ticket,
            claim,
            scopes,
            ...(lease === undefined ? {} : { lease }),
            ...(need === undefined ? {} : { quota: { ...need, limits } }),
          } as CallTicket,
          outcome,
        };
      }
    }
  }

  #pack(lines: Buffer = this.#lines.subarray(0, this.#used)): void {
    if (lines.length === 0) return;
    this.#chunks.push({ packed: zstdCompressSync(lines, QUICKLY), shared: this.#shared, last: this.#last });
    this.#used = 0;
    this.#shared = [];
  }
}

type Own = Written['ticket'];
type Need = NonNullable<Written['need']>;

/** Each by name, because copying what is left of an object takes longer than writing it. */
function ownOf({ callId, callKey, otherKeys, model, document, at, hold }: CallTicket) {
  return { callId, callKey, otherKeys, model, document, at, hold } satisfies Record<keyof Own, unknown>;
}

function needOf({ pool, inputTokens, outputTokens, dayOffsetMs }: QuotaNeed) {
  return { pool, inputTokens, outputTokens, dayOffsetMs } satisfies Record<keyof Need, unknown>;
}

function placeOf(shared: Shared[], { claim, scopes, limits, lease }: Shared): number {
  const known = shared.findLastIndex(
    (each) => each.claim === claim && each.scopes === scopes && each.limits === limits && each.lease === lease,
  );
  return known === -1 ? shared.push({ claim, scopes, limits, lease }) - 1 : known;
}
