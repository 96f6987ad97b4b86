import { nextSlots, type Slot, slotsBetween } from './calendar.ts';
import { decideSlots } from './decide-slots.ts';
import { runSlot, type ScheduleContext } from './run-slot.ts';
import type { Schedule } from './schedule.ts';
import type { ScheduleState, SlotRecord } from './schedule-book.ts';

/** Slots that one look decides on. */
const MAX_SLOTS = 1_000;
/** The lock of a worker that died ends after this; a worker at work prolongs it. */
const LOCK_MS = 15_000;
/** A slot that could not be run is tried again after this. */
const RETRY_MS = 30_000;

/** The worker that keeps house looks at each slot; after this, every other worker that has the schedule does once. */
const OTHERS_LOOK_AFTER_MS = 5_000;
/** Without a slot, the others look this often: the worker that keeps house may have another config. */
const OTHERS_LOOK_EVERY_MS = 60_000;

/**
 * Whether a worker should look at a schedule now; decided without asking Redis, because most workers need not.
 *
 * @param lookedAt when this worker last looked, milliseconds since the epoch; absent: never
 */
export function shallLook(
  schedule: Schedule,
  { keepsHouse, lookedAt, now }: { readonly keepsHouse: boolean; readonly lookedAt?: number; readonly now: number },
): boolean {
  if (keepsHouse || lookedAt === undefined || now - lookedAt >= OTHERS_LOOK_EVERY_MS) return true;
  const [slot] = nextSlots(schedule, lookedAt - OTHERS_LOOK_AFTER_MS, 1);
  return slot !== undefined && slot + OTHERS_LOOK_AFTER_MS <= now;
}

/** When {@link keepSchedule} has something to do next, milliseconds since the epoch. */
export function nextLook(schedule: Schedule, { seenUntil, due, trouble }: ScheduleState): number {
  if (seenUntil === undefined) return 0;
  if (due.length > 0) return trouble === undefined ? 0 : trouble.at + RETRY_MS;
  return nextSlots(schedule, seenUntil, 1)[0] ?? Number.POSITIVE_INFINITY;
}

/**
 * One look at a schedule: decides on the slots that have passed since the last look, then runs those that are due.
 * Any number of workers may look at the same time. The first look begins the calendar: what was before is not missed.
 *
 * @returns what was run
 */
export async function keepSchedule(
  context: ScheduleContext,
  schedule: Schedule,
  signal?: AbortSignal,
): Promise<readonly SlotRecord[]> {
  const state = await context.book.read(schedule.workflow);
  const now = context.clock.now();
  if (nextLook(schedule, state) > now) return [];
  await decidePassed(context, schedule, state);
  return await runDue(context, schedule, signal);
}

/** Decides on every slot that has passed, as the schedule stands now. */
export async function decidePassed(
  { book, clock, log }: Pick<ScheduleContext, 'book' | 'clock' | 'log'>,
  schedule: Schedule,
  state: ScheduleState,
): Promise<void> {
  const { workflow, catchUp } = schedule;
  const now = clock.now();
  const from = state.seenUntil;
  const slots = from === undefined ? [] : slotsBetween(schedule, from, now, MAX_SLOTS);
  if (from !== undefined && slots.length === 0) return;
  const isCutOff = slots.length === MAX_SLOTS;
  const until = isCutOff ? (slots.at(-1) ?? now) : now;
  const fates = decideSlots({ slots, isCutOff, now, catchUp, isPaused: state.paused !== undefined });
  if (!(await book.advance(workflow, from, until, fates, now))) return;
  for (const { slot, ...fate } of fates) {
    if (fate.fate === 'due') continue;
    log.warn('schedule:missed', { schedule: workflow, slot: new Date(slot).toISOString(), reason: fate.why });
  }
}

/** Runs the due slots of a schedule, the oldest first; none while another worker does. */
export async function runDue(
  context: ScheduleContext,
  schedule: Schedule,
  signal?: AbortSignal,
  only?: Slot,
): Promise<readonly SlotRecord[]> {
  const { book, clock, log } = context;
  const { workflow } = schedule;
  const owner = context.newId();
  if (!(await book.lock(workflow, owner, LOCK_MS))) return [];
  const timer = setInterval(() => void book.lock(workflow, owner, LOCK_MS).catch(() => {}), LOCK_MS / 3);
  const records: SlotRecord[] = [];
  try {
    for (const due of (await book.read(workflow)).due) {
      if (only !== undefined && due.slot !== only) continue;
      const record = await runSlot(context, schedule, due, signal);
      if (record !== undefined) records.push(record);
    }
    await book.noteTrouble(workflow, undefined);
  } catch (error) {
    if (signal?.aborted === true) return records;
    const { message } = error as Error;
    await book.noteTrouble(workflow, { at: clock.now(), message });
    log.error('schedule:failed', { schedule: workflow, message });
    if (only !== undefined) throw error;
  } finally {
    clearInterval(timer);
    await book.unlock(workflow, owner).catch(() => {});
  }
  return records;
}
