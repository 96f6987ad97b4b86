import { setTimeout as delay } from 'node:timers/promises';
import { workflowOf } from '../../../config/config.ts';
import { openDocumentParser } from '../../adapters/document-parser/open-document-parser.ts';
import { requireFolder } from '../../adapters/file-store/require-folder.ts';
import { openStore } from '../../adapters/open-store.ts';
import type { App } from '../../app.ts';
import { hasEnded } from '../../batches/batch-states.ts';
import { discardBatch } from '../../batches/submit-batch.ts';
import { NightmillError } from '../../errors.ts';
import { MINUTE_MS } from '../../runtime/durations.ts';
import { batchIdOfSlot, nextSlots } from '../../schedules/calendar.ts';
import type { Inbox } from '../../schedules/inbox.ts';
import { decidePassed, keepSchedule, nextLook, runDue, shallLook } from '../../schedules/keep-schedule.ts';
import type { ScheduleContext } from '../../schedules/run-slot.ts';
import type { Schedule } from '../../schedules/schedule.ts';
import type { ScheduleState, SlotRecord } from '../../schedules/schedule-book.ts';
import { storeKeys } from '../../store/store-keys.ts';
import { writeAudit } from '../audit.ts';
import { readingOf } from '../input-reading.ts';
import { submitDocuments } from '../submit-documents.ts';
import { StoreInbox } from './store-inbox.ts';

export interface ScheduleView extends ScheduleState {
  readonly schedule: Schedule;
  /** The next slots, milliseconds since the epoch. */
  readonly next: readonly number[];
  /** Newest first. */
  readonly records: readonly SlotRecord[];
}

const LOOK_EVERY_MS = 1_000;
/** Another worker may be at the schedule's slots. */
const WAIT_FOR_TURN_MS = 60_000;
const RECORDS_SHOWN = 100;

/** Every schedule of the config, by name. */
export async function listSchedules(app: App, next = 1): Promise<readonly ScheduleView[]> {
  return await Promise.all(schedulesOf(app).map((schedule) => readSchedule(app, schedule, next)));
}

/** @throws {NightmillError} `schedule_unknown` */
export async function viewSchedule(app: App, name: string, next: number): Promise<ScheduleView> {
  return await readSchedule(app, scheduleOf(app, name), next);
}

/**
 * Takes what is in the inbox now, as the slot of this minute.
 *
 * @returns what became of it
 * @throws {NightmillError} `schedule_unknown`; `schedule_busy`: a worker is at this schedule; and as `submitDocuments`
 */
export async function runScheduleNow(app: App, name: string): Promise<SlotRecord> {
  const schedule = scheduleOf(app, name);
  const slot = Math.floor(app.clock.now() / MINUTE_MS) * MINUTE_MS;
  const before = await app.schedules.addDue(name, slot);
  if (before !== undefined) return before;
  await writeAudit(app, 'schedule:run', name, undefined, batchIdOfSlot(schedule, slot));
  const context = scheduleContext(app);
  const giveUpAt = app.clock.monotonic() + WAIT_FOR_TURN_MS;
  for (;;) {
    const [record] = await runDue(context, schedule, undefined, slot);
    const done = record ?? (await app.schedules.records(name, RECORDS_SHOWN)).find((known) => known.slot === slot);
    if (done !== undefined) return done;
    if (app.clock.monotonic() >= giveUpAt) {
      throw new NightmillError(
        'schedule_busy',
        `Another process is at the slots of ${name}; this run stands in line. Look at: nightmill schedule list`,
        { retryable: true },
      );
    }
    await app.clock.sleep(LOOK_EVERY_MS / 2);
  }
}

/** From now on its slots pass without a run. @returns false where it was so already */
export async function pauseSchedule(app: App, name: string): Promise<boolean> {
  const schedule = scheduleOf(app, name);
  // What has passed until now is decided as the schedule stood then.
  await decidePassed(scheduleContext(app), schedule, await app.schedules.read(name));
  const changed = await app.schedules.pause(name, app.clock.now(), app.actor);
  if (changed) await writeAudit(app, 'schedule:pause', name);
  return changed;
}

/** The next slot runs; those that passed are not made up for. @returns false where it was not paused */
export async function resumeSchedule(app: App, name: string): Promise<boolean> {
  const schedule = scheduleOf(app, name);
  await decidePassed(scheduleContext(app), schedule, await app.schedules.read(name));
  const changed = await app.schedules.resume(name);
  if (changed) await writeAudit(app, 'schedule:resume', name);
  return changed;
}

/**
 * Looks at the calendar of these workflows until `signal` aborts: about once a second where this worker keeps house,
 * seldom otherwise. Every worker may: what is to be done is done once. A run that has begun resumes where it was cut
 * off, in whichever worker looks next.
 */
export async function keepSchedules(app: App, workflows: readonly string[], signal: AbortSignal): Promise<void> {
  const context = scheduleContext(app, signal);
  const schedules = schedulesOf(app).filter(({ workflow }) => workflows.includes(workflow));
  const { house } = app.housekeeping;
  await Promise.all(schedules.map((schedule) => keepOne({ ...context, house }, schedule, signal)));
}

async function keepOne(
  context: ScheduleContext & { readonly house: { readonly isHeld: boolean } },
  schedule: Schedule,
  signal: AbortSignal,
): Promise<void> {
  let lookedAt: number | undefined;
  while (!signal.aborted) {
    const now = context.clock.now();
    const looked = lookedAt === undefined ? {} : { lookedAt };
    try {
      if (shallLook(schedule, { keepsHouse: context.house.isHeld, now, ...looked })) {
        lookedAt = now;
        await keepSchedule(context, schedule, signal);
      }
    } catch (error) {
      const { message } = error as Error;
      if (!signal.aborted) context.log.error('schedule:failed', { schedule: schedule.workflow, message });
    }
    // Workers that started together do not stay in step.
    await delay(LOOK_EVERY_MS * (0.75 + Math.random() * 0.5), undefined, { signal }).catch(() => {});
  }
}

/** A slot is due and not run, or a schedule has not been looked at although its time has passed. */
export function isBehind({ schedule, ...state }: ScheduleView, now: number, graceMs: number): boolean {
  return state.seenUntil !== undefined && nextLook(schedule, state) + graceMs < now;
}

function schedulesOf({ config }: App): readonly Schedule[] {
  return [...config.workflows.values()].flatMap(({ schedule }) => schedule ?? []);
}

function scheduleOf(app: App, name: string): Schedule {
  const schedule = app.config.workflows.get(name)?.schedule;
  if (schedule !== undefined) return schedule;
  const known = schedulesOf(app).map(({ workflow }) => workflow);
  throw new NightmillError(
    'schedule_unknown',
    `There is no schedule ${JSON.stringify(name)}; known: ${known.join(', ') || 'none'}. ` +
      'A workflow has one where its config says schedule: { cron, input }.',
  );
}

async function readSchedule(app: App, schedule: Schedule, next: number): Promise<ScheduleView> {
  const [state, records] = await Promise.all([
    app.schedules.read(schedule.workflow),
    app.schedules.records(schedule.workflow, RECORDS_SHOWN),
  ]);
  return { schedule, ...state, records, next: nextSlots(schedule, app.clock.now(), next) };
}

function scheduleContext(app: App, signal?: AbortSignal): ScheduleContext {
  const { schedules: book, clock, log, store, batches } = app;
  return {
    book,
    clock,
    log,
    newId: app.submit.newId,
    openInbox: (schedule) => openInbox(app, schedule, signal),
    batchState: async (batchId) => {
      const state = (await batches.get(batchId))?.state;
      if (state === undefined || state === 'ingesting') return state ?? 'unknown';
      return hasEnded(state) ? 'ended' : 'open';
    },
    discardBatch: (batchId) => discardBatch(app.submit, batchId),
    keepChoice: async (schedule, due, files) => {
      const batchId = batchIdOfSlot(schedule, due.slot);
      const record = { schemaVersion: 1, schedule: schedule.workflow, ...due, batch: batchId, files };
      await store.put(storeKeys.scheduleChoice(schedule.workflow, batchId), Buffer.from(`${JSON.stringify(record)}\n`));
    },
  };
}

async function openInbox(app: App, schedule: Schedule, signal: AbortSignal | undefined): Promise<Inbox> {
  const { config } = app;
  const [, bucket, prefix = ''] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(schedule.input) ?? [];
  if (bucket === undefined) await requireFolder(schedule.input, `the inbox of ${schedule.workflow}`);
  await using stack = new AsyncDisposableStack();
  const url = bucket === undefined ? `file:${schedule.input}` : `s3://${bucket}`;
  const store = stack.adopt(await openStore({ ...config.store, url }), (opened) => opened.close());
  const parser = stack.use(openDocumentParser({ threads: config.ingest.threads }));
  const reading = { ...readingOf({}, workflowOf(config, schedule.workflow).input), parser };
  const opened = stack.move();
  return new StoreInbox({
    name: schedule.input,
    store,
    prefix,
    mayGrow: bucket === undefined,
    reading,
    maxLineBytes: config.ingest.maxLineBytes,
    // A bad line is an error row that names it; it keeps no other document waiting for a person.
    submit: async (id, source) => {
      await submitDocuments(app, { workflow: schedule.workflow, source, id, skipInvalid: true, signal });
    },
    close: () => opened.disposeAsync(),
  });
}
