import type { CallTicket, Outcome, SliceClaim } from '../../../ledger/ledger.ts';
import type { PoolLimits } from '../../../ledger/pool-limits.ts';
import type { QuotaNeed } from '../../../ledger/quota-need.ts';
import type { Scope } from '../../../ledger/scope.ts';

/** A call and how it ended. */
export interface EndedCall {
  readonly ticket: CallTicket;
  readonly outcome: Outcome;
}

/** Bytes that are forgotten at once. */
const CHUNK_BYTES = 262_144;
/** Of 5,000 calls or more: as many as a busy worker makes in a second. */
const MAX_SPARE = 12;
/** The number of what is shared, a space and the end of the line. */
const PLACE_BYTES = 12;

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
  readonly bytes: Buffer;
  readonly shared: Shared[];
  used: number;
  /** When the last call of it ended. */
  last: number;
}

/**
 * The calls that have ended in the last seconds, oldest first. They lie as bytes outside of the heap: many thousands of
 * objects that live for seconds are copied twice and then marked again and again by the collector.
 */
export class RecentCalls {
  readonly #chunks: Chunk[] = [];
  /** Of chunks that were forgotten, for the next ones: a buffer is freed when the collector comes, seconds after it was used. */
  readonly #spare: Buffer[] = [];

  /** @param endedAt milliseconds of the monotonic clock */
  add(endedAt: number, { ticket, outcome }: EndedCall): void {
    const { claim, scopes, quota, lease, ...own } = ticket;
    const { limits, ...need } = quota ?? { limits: undefined };
    const written = { endedAt, ticket: own, ...(quota === undefined ? {} : { need }), outcome };
    const json = JSON.stringify(written);
    const chunk = this.#chunkFor(Buffer.byteLength(json) + PLACE_BYTES);
    const place = placeOf(chunk.shared, { claim, scopes, limits, lease });
    chunk.used += chunk.bytes.write(`${place} ${json}\n`, chunk.used);
    chunk.last = endedAt;
  }

  /** @param before milliseconds of the monotonic clock; what is forgotten ended earlier, and some of that is kept */
  forget(before: number): void {
    while (this.#chunks[0] !== undefined && this.#chunks[0].last < before) {
      const { bytes } = this.#chunks.shift() as Chunk;
      if (bytes.length === CHUNK_BYTES && this.#spare.length < MAX_SPARE) this.#spare.push(bytes);
    }
  }

  /** @param start milliseconds of the monotonic clock; those that ended then or later */
  *since(start: number): Generator<EndedCall> {
    for (const { bytes, used, shared } of this.#chunks) {
      for (const line of bytes.toString('utf8', 0, used).split('\n')) {
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

  #chunkFor(bytes: number): Chunk {
    const newest = this.#chunks.at(-1);
    if (newest !== undefined && newest.used + bytes <= newest.bytes.length) return newest;
    const space = bytes > CHUNK_BYTES ? Buffer.allocUnsafeSlow(bytes) : this.#spare.pop();
    const chunk = { bytes: space ?? Buffer.allocUnsafeSlow(CHUNK_BYTES), shared: [], used: 0, last: 0 };
    this.#chunks.push(chunk);
    return chunk;
  }
}

function placeOf(shared: Shared[], { claim, scopes, limits, lease }: Shared): number {
  const known = shared.findLastIndex(
    (each) => each.claim === claim && each.scopes === scopes && each.limits === limits && each.lease === lease,
  );
  return known === -1 ? shared.push({ claim, scopes, limits, lease }) - 1 : known;
}
