import type { JournalEntry } from '../../../src/ledger/journal-entry.ts';
import type {
  Admission,
  CallTicket,
  Ledger,
  Outcome,
  QuotaReport,
  QuotaWait,
  ReapedCall,
  Refusal,
  ScopeTotals,
  Settlement,
  UncertainCall,
} from '../../../src/ledger/ledger.ts';
import { batchScope, type Scope, type ScopeName } from '../../../src/ledger/scope.ts';
import type { MemoryBooks, MemoryWorker } from './memory-books.ts';

/** The ledger's port over maps: what a worker sees of books that several may share. */
export class MemoryLedger implements Ledger {
  readonly #books: MemoryBooks;
  readonly #worker: MemoryWorker;
  readonly #heldBy = new Map<string, string>();
  /** What was told of pools, in order. */
  readonly reports: { readonly pool: string; readonly report: QuotaReport }[] = [];
  /** Says that a pool's quota is used up, where it is. */
  quota: ((ticket: CallTicket) => { readonly why: QuotaWait; readonly waitMs: number } | undefined) | undefined;

  constructor(books: MemoryBooks, worker: MemoryWorker) {
    this.#books = books;
    this.#worker = worker;
  }

  async admit(ticket: CallTicket): Promise<Admission> {
    const { claim, callId } = ticket;
    const fenced = this.#books.fence(claim.batchId).get(claim.slice) !== claim.token;
    const holder = this.#holderOf(ticket);
    const held = this.#books.holds(holder).get(callId);
    const journal = this.#books.journal(claim.batchId, claim.slice);
    const callKey = [ticket.callKey, ...(ticket.otherKeys ?? [])].find((key) => journal.has(key));
    if (fenced || callKey !== undefined) {
      if (held !== undefined) this.#books.release(holder, callId);
      if (fenced || callKey === undefined) return { kind: 'fenced' };
      return { kind: 'replay', entry: journal.get(callKey) as JournalEntry, callKey };
    }
    if (held !== undefined) return { kind: 'admitted' };
    if (!this.#books.isAlive(holder)) {
      if (ticket.lease !== undefined) return { kind: 'fenced' };
      this.#worker.renew();
      this.#heldBy.delete(callId);
      return await this.admit(ticket);
    }
    const refusal = ticket.scopes.map((scope) => this.#refusal(scope, ticket.hold)).find((each) => each !== undefined);
    if (refusal !== undefined) return { kind: 'refused', refusal };
    const wait = this.quota?.(ticket);
    if (wait !== undefined) return { kind: 'wait', ...wait };
    this.#books.hold(holder, ticket);
    this.#heldBy.set(callId, holder);
    return { kind: 'admitted' };
  }

  async settle(ticket: CallTicket, outcome: Outcome): Promise<Settlement> {
    const { claim, callId, callKey, otherKeys = [] } = ticket;
    const holder = this.#holderOf(ticket);
    const fence = this.#books.fence(claim.batchId).get(claim.slice);
    const journal = this.#books.journal(claim.batchId, claim.slice);
    const listed = this.#books.uncertain(claim.batchId).get(callId);
    const held = this.#books.holds(holder).get(callId);
    if (held !== undefined) this.#books.release(holder, callId);
    else if (listed !== undefined) {
      if (fence === undefined || outcome.kind === 'uncertain') return { kind: 'settled' };
    } else if (outcome.kind !== 'reply' || fence !== claim.token || journal.has(callKey)) return { kind: 'settled' };
    if (listed !== undefined) this.#books.unlist(ticket);
    if (outcome.kind === 'released') return { kind: 'settled' };
    if (outcome.kind === 'uncertain') {
      this.#books.list(ticket, held?.hold ?? 0, outcome.reason, outcome.requestId);
      return { kind: 'settled' };
    }
    const { entry } = outcome;
    const firstKey = [callKey, ...otherKeys].find((key) => journal.has(key)) ?? callKey;
    const first = journal.get(firstKey);
    if (fence === undefined || fence === 'done' || first !== undefined) {
      this.#books.list(ticket, entry.cost, 'another reply to this call counts', entry.requestId);
      const orphaned = fence === undefined || fence === 'done' || first === undefined;
      return orphaned ? { kind: 'fenced' } : { kind: 'duplicate', entry: first, callKey: firstKey };
    }
    journal.set(callKey, entry);
    this.#books.add(ticket.scopes, { settled: entry.cost });
    return { kind: fence === claim.token ? 'settled' : 'fenced' };
  }

  async journal(batchId: string, slice: number): Promise<ReadonlyMap<string, JournalEntry>> {
    return new Map(this.#books.journal(batchId, slice));
  }

  async totals(scope: Scope): Promise<ScopeTotals> {
    const { settled, uncertain, held } = this.#books.totals(scope);
    const limit = await this.limit(scope.name);
    return { settled, uncertain, held, ...(limit === undefined ? {} : { limit }) };
  }

  async limit(scope: ScopeName): Promise<number | undefined> {
    return this.#books.limitOf(scope);
  }

  async setLimit(scope: ScopeName, limit: number): Promise<void> {
    this.#books.limits.set(`set:${scope}`, limit);
  }

  async clearLimit(scope: ScopeName): Promise<void> {
    this.#books.limits.delete(`set:${scope}`);
  }

  async applyConfigLimits(
    limits: ReadonlyMap<ScopeName, number | undefined>,
    how: 'replace' | 'fill',
  ): Promise<readonly ScopeName[]> {
    const differ: ScopeName[] = [];
    for (const [scope, wanted] of limits) {
      const key = `config:${scope}`;
      const known = this.#books.limits.get(key);
      if (known === wanted) continue;
      if (known !== undefined) differ.push(scope);
      if (how === 'fill' && known !== undefined) continue;
      if (wanted === undefined) this.#books.limits.delete(key);
      else this.#books.limits.set(key, wanted);
    }
    return differ;
  }

  async uncertainCalls(batchId: string): Promise<readonly UncertainCall[]> {
    return [...this.#books.uncertain(batchId).values()];
  }

  async reportQuota(pool: string, report: QuotaReport): Promise<{ isBlip: boolean }> {
    this.reports.push({ pool, report });
    return { isBlip: false };
  }

  async foundQuota(): Promise<undefined> {
    return undefined;
  }

  async reapDeadWorkers(onBooked?: (call: ReapedCall) => void): Promise<number> {
    return this.#books.reap(onBooked);
  }

  async openCalls(batchId: string): Promise<number> {
    return this.#books.totals(batchScope(batchId)).open;
  }

  #holderOf({ callId, lease }: CallTicket): string {
    return lease ?? this.#heldBy.get(callId) ?? this.#worker.workerId;
  }

  #refusal(scope: Scope, hold: number): Refusal | undefined {
    const limit = this.#books.limitOf(scope.name);
    const { settled, uncertain, held } = this.#books.totals(scope);
    if (limit === undefined || settled + uncertain + held + hold <= limit) return undefined;
    return { scope: scope.name, limit, settled, uncertain, held };
  }
}
