import { NightmillError } from '../../../errors.ts';
import type { JournalEntry } from '../../../ledger/journal-entry.ts';
import type { Admission, CallTicket, Outcome, Settlement } from '../../../ledger/ledger.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { RedisLedger } from '../ledger.ts';
import { type EndedCall, RecentCalls } from './recent-calls.ts';

/** A server that syncs its log once a second forgets at most about two seconds before its death, however long it is away then. */
const REMEMBER_MS = 5_000;

/**
 * A ledger that knows what this process wrote in the last seconds and posts it again when the server has restarted or
 * failed over: with `appendfsync everysec`, or a replica that was behind, the server may have forgotten it. What could not
 * be settled, because the server was away for too long, is settled when it is back: a reply that is paid for is not lost.
 */
export class RememberingLedger extends RedisLedger {
  readonly #held = new Map<string, CallTicket>();
  readonly #settled = new RecentCalls();
  readonly #unsettled = new Map<string, EndedCall>();
  readonly #settling = new Map<symbol, Promise<unknown>>();
  /** While the last seconds are posted again, no call ends: one that did would be posted as it was before, and stay so. */
  #posting: Promise<unknown> | undefined;
  #clock: Clock | undefined;
  /** When the server was last seen to be the process that is known; monotonic milliseconds. Until then nothing is forgotten. */
  #seenAt = Number.NEGATIVE_INFINITY;
  #runId: string | undefined;

  /** Nothing is remembered before this. */
  remember(clock: Clock): void {
    this.#clock = clock;
  }

  override async admit(ticket: CallTicket): Promise<Admission> {
    const lease = this.holderOf(ticket);
    try {
      const admission = await super.admit(ticket);
      if (admission.kind === 'admitted' && this.#clock !== undefined) this.#held.set(ticket.callId, ticket);
      return admission;
    } catch (error) {
      // An admission whose answer never came may hold money for a call that nobody makes: it is given back.
      if (this.#clock !== undefined) {
        this.#unsettled.set(ticket.callId, { ticket: { ...ticket, lease }, outcome: { kind: 'released' } });
      }
      throw error;
    }
  }

  override settle(ticket: CallTicket, outcome: Outcome): Promise<Settlement> {
    if (this.#posting !== undefined) return this.#posting.then(() => this.settle(ticket, outcome));
    const id = Symbol();
    const ending = this.#end(ticket, outcome, id);
    this.#settling.set(id, ending);
    return ending;
  }

  async #end(ticket: CallTicket, outcome: Outcome, id: symbol): Promise<Settlement> {
    // The lease may have ended by the time that this is posted again: the hold is still under it.
    const lease = this.holderOf(ticket);
    try {
      const settlement = await super.settle(ticket, outcome);
      this.#unsettled.delete(ticket.callId);
      if (this.#clock !== undefined) {
        this.#held.delete(ticket.callId);
        this.#settled.add(this.#clock.monotonic(), { ticket: { ...ticket, lease }, outcome });
        this.#settled.forget(this.#seenAt - REMEMBER_MS);
      }
      return settlement;
    } catch (error) {
      this.#unsettled.set(ticket.callId, { ticket, outcome });
      throw error;
    } finally {
      this.#settling.delete(id);
    }
  }

  override async journal(batchId: string, slice: number): Promise<ReadonlyMap<string, JournalEntry>> {
    await this.#settleAgain();
    return await super.journal(batchId, slice);
  }

  async #settleAgain(): Promise<void> {
    for (const { ticket, outcome } of [...this.#unsettled.values()]) {
      try {
        await this.settle(ticket, outcome);
      } catch (error) {
        // Still away: the others would wait as long. They all stay noted.
        if (error instanceof NightmillError) return;
      }
    }
  }

  /**
   * Settles what could not be settled, looks whether the server is another process than last time and, if so, posts the
   * last seconds again. What is cut off is done again the next time.
   *
   * @returns how many calls it had forgotten
   */
  async restoreIfRestarted(): Promise<number> {
    const askedAt = this.#clock?.monotonic();
    const runId = await this.serverRunId();
    await this.#settleAgain();
    const restarted = this.#runId !== undefined && this.#runId !== runId;
    const restored = restarted && askedAt !== undefined ? await this.#postAloneAgain(this.#seenAt - REMEMBER_MS) : 0;
    this.#runId = runId;
    this.#seenAt = askedAt ?? this.#seenAt;
    return restored;
  }

  async #postAloneAgain(since: number): Promise<number> {
    const posting = Promise.allSettled(this.#settling.values()).then(() => this.#postAgain(since));
    this.#posting = posting.catch(() => {});
    try {
      return await posting;
    } finally {
      this.#posting = undefined;
    }
  }

  /** @param since monotonic milliseconds: what was settled before is on the server's disk */
  async #postAgain(since: number): Promise<number> {
    let restored = 0;
    if (this.#held.size > 0) await this.keepHolds();
    for (const { ticket, outcome } of [...this.#settled.since(since)]) {
      if (await this.restore(ticket, outcome)) restored += 1;
      // Where only the settlement was forgotten, the hold is there and is settled as before.
      else await super.settle(ticket, outcome);
    }
    for (const held of [...this.#held.values()]) {
      const { ticket, outcome } = this.#unsettled.get(held.callId) ?? { ticket: held };
      if (await this.restore(ticket, outcome)) restored += 1;
    }
    return restored;
  }
}
