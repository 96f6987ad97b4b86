import { NightmillError } from '../errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { batchIdOfSlot } from './calendar.ts';
import { chooseFiles, isSameFile } from './choose-files.ts';
import type { ChosenFile, Inbox } from './inbox.ts';
import type { Schedule } from './schedule.ts';
import type { DueSlot, ScheduleBook, SlotRecord } from './schedule-book.ts';

export interface ScheduleContext {
  readonly book: ScheduleBook;
  readonly clock: Clock;
  readonly log: Log;
  readonly newId: () => string;
  readonly openInbox: (schedule: Schedule) => Promise<Inbox>;
  /** How far a batch has come. */
  readonly batchState: (batchId: string) => Promise<'unknown' | 'ingesting' | 'open' | 'ended'>;
  /** Removes a batch that never left `ingesting`. */
  readonly discardBatch: (batchId: string) => Promise<void>;
  /** Keeps in the store what a slot has taken, so that it is known after a Redis has lost everything. */
  readonly keepChoice: (schedule: Schedule, due: DueSlot, files: readonly ChosenFile[]) => Promise<void>;
}

/** Files may change while they are chosen; a producer that never stops has its turn the next time. */
const MAX_CHOICES = 3;
/** Earlier batches that are asked whether they are open. */
const EARLIER_SLOTS = 50;

const EVENT_OF = { submitted: 'schedule:submitted', empty: 'schedule:empty', missed: 'schedule:missed' } as const;

/**
 * Runs a due slot: takes what is new in the inbox, submits it, moves it where the schedule says so, and notes what
 * became of it. May be cut off and done again at any point, with the same outcome.
 *
 * @throws whatever the inbox, the store or the submission throws; the slot stays due
 */
export async function runSlot(
  context: ScheduleContext,
  schedule: Schedule,
  due: DueSlot,
  signal?: AbortSignal,
): Promise<SlotRecord | undefined> {
  const { clock } = context;
  const { workflow } = schedule;
  const open = await openBatchBefore(context, schedule, due);
  if (open !== undefined) {
    const why = `the batch ${open} was still open (overlap: skip)`;
    return await finish(context, workflow, { ...due, outcome: 'missed', at: clock.now(), why });
  }
  const batchId = batchIdOfSlot(schedule, due.slot);
  await using inbox = await context.openInbox(schedule);
  const files = await takeFiles(context, schedule, due, inbox, signal);
  if (files === undefined) return undefined;
  const count = (fate: ChosenFile['fate']) => files.filter((file) => file.fate === fate).length;
  await moveFiles(context, schedule, inbox, files, batchId);
  return await finish(context, workflow, {
    ...due,
    outcome: count('taken') === 0 ? 'empty' : 'submitted',
    at: clock.now(),
    ...(count('taken') === 0 ? {} : { batch: batchId }),
    files: count('taken'),
    duplicates: count('duplicate'),
    quarantined: count('quarantined'),
  });
}

async function finish(
  { book, log }: ScheduleContext,
  schedule: string,
  record: SlotRecord,
): Promise<SlotRecord | undefined> {
  if (!(await book.finish(schedule, record))) return undefined;
  const { outcome, batch, files, duplicates, quarantined, why } = record;
  const slot = new Date(record.slot).toISOString();
  const level = outcome === 'missed' ? 'warn' : 'info';
  log[level](EVENT_OF[outcome], { schedule, slot, batch, files, duplicates, quarantined, reason: why });
  return record;
}

/** For `overlap: skip`: a batch of an earlier slot that has not ended. */
async function openBatchBefore(
  { book, batchState }: ScheduleContext,
  { workflow, overlap }: Schedule,
  { slot, how }: DueSlot,
): Promise<string | undefined> {
  // What a person asks for is done; what has begun continues.
  if (overlap !== 'skip' || how === 'command' || (await book.chosen(workflow, slot)) !== undefined) return undefined;
  for (const { batch } of await book.records(workflow, EARLIER_SLOTS)) {
    if (batch !== undefined && ['ingesting', 'open'].includes(await batchState(batch))) return batch;
  }
  return undefined;
}

/** Takes files for the slot and submits them; undefined where another worker has finished the slot. */
async function takeFiles(
  context: ScheduleContext,
  schedule: Schedule,
  due: DueSlot,
  inbox: Inbox,
  signal: AbortSignal | undefined,
): Promise<readonly ChosenFile[] | undefined> {
  const { book, log } = context;
  const { workflow } = schedule;
  const batchId = batchIdOfSlot(schedule, due.slot);
  for (let choice = 1; ; choice += 1) {
    let files = await book.chosen(workflow, due.slot);
    if (files === undefined) {
      const { files: found, left } = await chooseFiles(context, workflow, inbox, signal);
      if (left.length > 0) log.info('schedule:left', { schedule: workflow, files: left.length, first: left[0] });
      const result = await book.choose(workflow, due.slot, found);
      if (result.kind === 'gone') return undefined;
      if (result.kind === 'conflict') continue;
      files = result.files;
    }
    await context.keepChoice(schedule, due, files);
    const taken = files.filter(({ fate }) => fate === 'taken');
    const state = await context.batchState(batchId);
    if (taken.length === 0 || state === 'open' || state === 'ended') return files;
    try {
      await requireUnchanged(inbox, taken);
      await inbox.submit(batchId, taken);
      return files;
    } catch (error) {
      if (!(error instanceof NightmillError) || error.code !== 'input_changed' || choice === MAX_CHOICES) throw error;
      if (state === 'ingesting') await context.discardBatch(batchId);
      await book.release(workflow, due.slot);
    }
  }
}

async function requireUnchanged(inbox: Inbox, files: readonly ChosenFile[]): Promise<void> {
  for (const file of files) {
    const now = await inbox.look(file.name);
    if (now !== undefined && isSameFile(file, now)) continue;
    throw new NightmillError(
      'input_changed',
      `The file ${file.name} in ${inbox.name} has ${now === undefined ? 'gone' : 'changed'} since it was chosen.`,
    );
  }
}

/** A file that cannot be moved stays; it is known and not taken again. */
async function moveFiles(
  { log }: ScheduleContext,
  { workflow, after }: Schedule,
  inbox: Inbox,
  files: readonly ChosenFile[],
  batchId: string,
): Promise<void> {
  for (const file of files) {
    try {
      if (file.fate === 'quarantined') {
        await inbox.quarantine(file);
        log.warn('schedule:quarantined', { schedule: workflow, file: file.name, reason: file.reason });
      } else if (after === 'archive') await inbox.archive(file, batchId);
    } catch (error) {
      log.warn('schedule:unmoved', { schedule: workflow, file: file.name, message: (error as Error).message });
    }
  }
}
