import type { JournalEntry } from '../domain/journal-entry.ts';
import type { CallTicket, Ledger } from '../ports/ledger.ts';
import { sleep } from './backoff.ts';
import type { SliceRun } from './slice-run.ts';
import { StopError } from './stop.ts';

const FIRST_WAIT_MS = 20;
const LONGEST_WAIT_MS = 500;

/**
 * Gets a call admitted. A refusal while other calls are in flight is not the end: what they do not use comes back
 * when they settle, so the call waits for that, and the breaker opens only when nothing more can come back. Before it
 * does, the call is tried once more at what it will likely cost: alone under the limit, the bound for any tokenizer
 * would leave money unused.
 *
 * @param likelyHold most that the call will likely cost, where that is known
 * @returns a paid reply to the same request, where there is one
 * @throws {StopError} `budget` when the limit is reached, `fenced` when the slice is not this worker's any more
 */
export async function admitCall(
  ledger: Ledger,
  ticket: CallTicket,
  slice: SliceRun,
  likelyHold: () => number | undefined,
): Promise<JournalEntry | undefined> {
  let held = ticket;
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 1.5, LONGEST_WAIT_MS)) {
    const admission = await ledger.admit(held);
    if (admission.kind === 'admitted') return undefined;
    if (admission.kind === 'replay') return admission.entry;
    if (admission.kind === 'fenced') return stop(slice, { kind: 'fenced' });
    const { refusal } = admission;
    if (refusal.held === 0 || held.hold > refusal.limit) {
      const likely = held === ticket ? likelyHold() : undefined;
      if (likely === undefined || likely >= ticket.hold) {
        return stop(slice, { kind: 'budget', refusal, hold: held.hold });
      }
      held = { ...ticket, hold: likely };
      continue;
    }
    await sleep(waitMs, slice.stopping);
    slice.throwIfStopped();
  }
}

function stop(slice: SliceRun, reason: StopError['reason']): never {
  slice.stop(reason);
  throw new StopError(reason);
}
