import type { JournalEntry } from '../ledger/journal-entry.ts';
import type { CallTicket, Ledger, QuotaWait } from '../ledger/ledger.ts';
import type { AdmissionQueue } from '../quota/admission-queue.ts';
import type { QueuePosition } from '../quota/fair-queue.ts';
import type { Clock } from '../runtime/clock.ts';
import type { CallOwner } from './call-owner.ts';

const FIRST_WAIT_MS = 20;
const LONGEST_WAIT_MS = 500;

export type Admitted =
  | { readonly kind: 'admitted'; readonly ticket: CallTicket; readonly place: Disposable }
  | { readonly kind: 'replay'; readonly entry: JournalEntry; readonly callKey: string }
  /** Too long to stand in line for; nothing is held. */
  | { readonly kind: 'wait'; readonly why: QuotaWait; readonly waitMs: number };

export interface AdmissionRequest {
  readonly line: AdmissionQueue;
  readonly position: QueuePosition;
  readonly owner: CallOwner;
  /** A ticket for now, with this much money held. */
  readonly ticket: (hold: number) => CallTicket;
  readonly hold: number;
  /** Most that the call will likely cost, where that is known. */
  readonly likelyHold: () => number | undefined;
}

/**
 * Gets a call admitted: a place in this process, its money held, its quota taken, and the time of its start come.
 *
 * A refusal of money while other calls are in flight is not the end: what they do not use comes back when they settle,
 * so the call waits for that, and the breaker opens only when nothing more can come back. Before it does, the call is
 * tried once more at what it will likely cost: alone under the limit, the bound for any tokenizer would leave money
 * unused.
 *
 * @returns a paid reply to the same request, where there is one; a wait of more than a minute is the caller's to decide
 * @throws {StopError} `budget` when the limit is reached, `fenced` when the slice is not this worker's any more
 */
export async function admitCall(
  { ledger, clock }: { readonly ledger: Ledger; readonly clock: Clock },
  request: AdmissionRequest,
): Promise<Admitted> {
  const { line, position, owner } = request;
  let { hold } = request;
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 1.5, LONGEST_WAIT_MS)) {
    const { admission, ticket, place } = await enter(line, position, owner, () => request.ticket(hold));
    if (admission.kind === 'admitted' && place !== undefined) {
      await waitForStart({ ledger, clock }, ticket, owner, place, admission.startInMs ?? 0);
      return { kind: 'admitted', ticket, place };
    }
    if (admission.kind === 'replay' || admission.kind === 'wait') return admission;
    if (admission.kind !== 'refused') return owner.stopAndThrow({ kind: 'fenced' });
    const { refusal } = admission;
    const { needed = hold } = refusal;
    if (refusal.held === 0 || needed > refusal.limit) {
      const likely = hold === request.hold ? request.likelyHold() : undefined;
      if (likely === undefined || likely >= hold) return owner.stopAndThrow({ kind: 'budget', refusal, hold: needed });
      hold = likely;
      continue;
    }
    await clock.sleep(waitMs, owner.stopping);
    owner.throwIfStopped();
  }
}

async function enter(line: AdmissionQueue, position: QueuePosition, owner: CallOwner, ticket: () => CallTicket) {
  try {
    return await line.enter(position, ticket, owner.stopping);
  } catch (error) {
    owner.throwIfStopped();
    throw error;
  }
}

/** A call that is not to be made any more when its start has come gives everything back. */
async function waitForStart(
  { ledger, clock }: { readonly ledger: Ledger; readonly clock: Clock },
  ticket: CallTicket,
  owner: CallOwner,
  place: Disposable,
  startInMs: number,
): Promise<void> {
  await clock.sleep(startInMs, owner.stopping);
  if (owner.reason === undefined) return;
  place[Symbol.dispose]();
  await ledger.settle(ticket, { kind: 'released' });
  owner.throwIfStopped();
}
