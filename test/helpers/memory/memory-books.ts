import { randomUUID } from 'node:crypto';
import type { JournalEntry } from '../../../src/ledger/journal-entry.ts';
import type { CallTicket, ReapedCall, UncertainCall } from '../../../src/ledger/ledger.ts';
import type { Scope } from '../../../src/ledger/scope.ts';

interface Totals {
  settled: number;
  uncertain: number;
  held: number;
  /** Calls in flight. */
  open: number;
}

/** What a cluster shares: money, fences and journals, as plainly as possible. */
export class MemoryBooks {
  /** By `set:SCOPE` and `config:SCOPE`. */
  readonly limits = new Map<string, number>();
  readonly #scopes = new Map<string, Totals>();
  readonly #holds = new Map<string, Map<string, CallTicket>>();
  readonly #alive = new Set<string>();
  readonly #fences = new Map<string, Map<number, string>>();
  readonly #journals = new Map<string, Map<string, JournalEntry>>();
  readonly #uncertain = new Map<string, Map<string, UncertainCall>>();

  fence(batchId: string): Map<number, string> {
    return getOrMake(this.#fences, batchId, () => new Map());
  }

  journal(batchId: string, slice: number): Map<string, JournalEntry> {
    return getOrMake(this.#journals, `${batchId}:${slice}`, () => new Map());
  }

  uncertain(batchId: string): Map<string, UncertainCall> {
    return getOrMake(this.#uncertain, batchId, () => new Map());
  }

  holds(holder: string): Map<string, CallTicket> {
    return getOrMake(this.#holds, holder, () => new Map());
  }

  totals({ name, period }: Scope): Totals {
    return getOrMake(this.#scopes, `${name}:${period}`, () => ({ settled: 0, uncertain: 0, held: 0, open: 0 }));
  }

  limitOf(scope: string): number | undefined {
    return this.limits.get(`set:${scope}`) ?? this.limits.get(`config:${scope}`);
  }

  add(scopes: readonly Scope[], change: Partial<Totals>): void {
    for (const scope of scopes) {
      const totals = this.totals(scope);
      totals.settled += change.settled ?? 0;
      totals.uncertain += change.uncertain ?? 0;
      totals.held += change.held ?? 0;
    }
  }

  hold(holder: string, ticket: CallTicket): void {
    this.holds(holder).set(ticket.callId, ticket);
    this.add(ticket.scopes, { held: ticket.hold });
    this.#count(ticket, 1);
  }

  release(holder: string, callId: string): void {
    const ticket = this.holds(holder).get(callId);
    if (ticket === undefined) return;
    this.holds(holder).delete(callId);
    this.add(ticket.scopes, { held: -ticket.hold });
    this.#count(ticket, -1);
  }

  list(ticket: CallTicket, cost: number, reason: string, requestId?: string): void {
    this.unlist(ticket);
    const { callId, model, claim, document, at } = ticket;
    this.uncertain(claim.batchId).set(callId, {
      callId,
      model,
      slice: claim.slice,
      ...(document === undefined ? {} : { document }),
      ...(at === undefined ? {} : { at }),
      ...(requestId === undefined ? {} : { requestId }),
      cost,
      reason,
    });
    this.add(ticket.scopes, { uncertain: cost });
  }

  unlist({ claim, callId, scopes }: CallTicket): void {
    const listed = this.uncertain(claim.batchId).get(callId);
    if (listed === undefined) return;
    this.uncertain(claim.batchId).delete(callId);
    this.add(scopes, { uncertain: -listed.cost });
  }

  isAlive(holder: string): boolean {
    return this.#alive.has(holder);
  }

  beginLease(holder: string): void {
    this.#alive.add(holder);
  }

  endLease(holder: string): void {
    this.#alive.delete(holder);
  }

  reap(onBooked: (call: ReapedCall) => void = () => {}): number {
    let booked = 0;
    for (const [holder, holds] of this.#holds) {
      if (this.isAlive(holder)) continue;
      for (const ticket of [...holds.values()]) {
        this.release(holder, ticket.callId);
        this.list(ticket, ticket.hold, 'its worker died');
        booked += 1;
        onBooked({ batchId: ticket.claim.batchId, worker: holder, cost: ticket.hold });
      }
    }
    return booked;
  }

  #count({ scopes: [batch] }: CallTicket, change: number): void {
    if (batch !== undefined) this.totals(batch).open += change;
  }
}

/** A worker's lease; one that ended is not revived. */
export class MemoryWorker {
  readonly #books: MemoryBooks;
  workerId: string = randomUUID();

  constructor(books: MemoryBooks) {
    this.#books = books;
    books.beginLease(this.workerId);
  }

  renew(): void {
    if (this.#books.isAlive(this.workerId)) return;
    this.workerId = randomUUID();
    this.#books.beginLease(this.workerId);
  }
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
