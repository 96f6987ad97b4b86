import type { Clock } from '../../ports/clock.ts';
import type { Admission, CallTicket, Outcome, Settlement } from '../../ports/ledger.ts';
import { RedisLedger } from './ledger.ts';

/** A server that syncs its log once a second forgets at most about two seconds when it dies. */
const REMEMBER_MS = 5_000;

interface Settled {
  readonly at: number;
  readonly ticket: CallTicket;
  readonly outcome: Outcome;
}

/**
 * A ledger that knows what this process wrote in the last seconds and posts it again when the server has restarted or
 * failed over: with `appendfsync everysec`, or a replica that was behind, the server may have forgotten it.
 */
export class RememberingLedger extends RedisLedger {
  readonly #held = new Map<string, CallTicket>();
  readonly #settled: Settled[] = [];
  #clock: Clock | undefined;
  #runId: string | undefined;

  /** Nothing is remembered before this. */
  remember(clock: Clock): void {
    this.#clock = clock;
  }

  override async admit(ticket: CallTicket): Promise<Admission> {
    const admission = await super.admit(ticket);
    if (admission.kind === 'admitted' && this.#clock !== undefined) this.#held.set(ticket.callId, ticket);
    return admission;
  }

  override async settle(ticket: CallTicket, outcome: Outcome): Promise<Settlement> {
    const settlement = await super.settle(ticket, outcome);
    if (this.#clock !== undefined) {
      const now = this.#clock.monotonic();
      const held = this.#held.get(ticket.callId) ?? ticket;
      this.#held.delete(ticket.callId);
      this.#settled.push({ at: now, ticket: held, outcome });
      const forget = this.#settled.findIndex(({ at }) => at >= now - REMEMBER_MS);
      if (forget > FORGET_AT_ONCE) this.#settled.splice(0, forget);
    }
    return settlement;
  }

  /**
   * Looks whether the server is another process than last time and, if so, posts the last seconds again.
   *
   * @returns how many calls it had forgotten
   */
  async restoreIfRestarted(): Promise<number> {
    const runId = await this.serverRunId();
    const restarted = this.#runId !== undefined && this.#runId !== runId;
    this.#runId = runId;
    if (!restarted || this.#clock === undefined) return 0;
    let restored = 0;
    const since = this.#clock.monotonic() - REMEMBER_MS;
    for (const { at, ticket, outcome } of [...this.#settled]) {
      if (at < since) continue;
      if (await this.restore(ticket, outcome)) restored += 1;
      // Where only the settlement was forgotten, the hold is there and is settled as before.
      else await super.settle(ticket, outcome);
    }
    for (const ticket of [...this.#held.values()]) if (await this.restore(ticket)) restored += 1;
    return restored;
  }
}

/** Old entries leave in heaps: one by one, each settlement would move the whole list. */
const FORGET_AT_ONCE = 1_000;
