import type { BatchRecord, BatchRegistry } from '../batches/batch-registry.ts';
import { isWorking } from '../batches/batch-states.ts';
import { type WorkerRegistry, workersOf } from '../batches/worker-registry.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { zoneOffsetMs } from '../ledger/period.ts';
import { batchScope } from '../ledger/scope.ts';
import { formatUsd, nanoToDecimal } from '../money/money.ts';
import type { Clock } from '../runtime/clock.ts';
import { DAY_MS, HOUR_MS } from '../runtime/durations.ts';
import type { Notice, Notify } from './notice.ts';

export interface NoticeContext {
  readonly batches: BatchRegistry;
  readonly ledger: Ledger;
  readonly workers: WorkerRegistry;
  readonly clock: Clock;
  readonly notify: Notify;
  /** When the summary of a night is due, minutes since midnight in {@link timezone}; absent: there is none. */
  readonly summaryAt?: number;
  readonly timezone: string;
}

/** A batch that was submitted a moment ago is waiting for workers that are being started. */
const PATIENCE_MS = 60_000;
/** Whoever starts later than this after the hour of the summary sends none that day. */
const SUMMARY_LATE_MS = 2 * HOUR_MS;
/** Of the newest batches so many are looked at for a summary. */
const SUMMARY_BATCHES = 1_000;

/** What no single process sees happen: that nobody works, and that a night is over. */
export async function checkNotices(context: NoticeContext, open: readonly BatchRecord[]): Promise<void> {
  const now = context.clock.now();
  const waiting = open.filter(({ state, createdAt }) => isWorking(state) && now - createdAt >= PATIENCE_MS);
  if (waiting.length > 0) {
    const live = await context.workers.live();
    for (const workflow of new Set(waiting.map((batch) => batch.workflow))) {
      if (workersOf(live, workflow).length > 0) continue;
      await context.notify(nobodyWorks(workflow, waiting, now));
    }
  }
  const day = summaryDay(now, context.timezone, context.summaryAt);
  if (day !== undefined) await context.notify(await summarize(context, open, day, now));
}

function nobodyWorks(workflow: string, waiting: readonly BatchRecord[], now: number): Notice {
  const batches = waiting.filter((batch) => batch.workflow === workflow);
  return {
    event: 'workers:none',
    subject: workflow,
    message: `No worker is alive for ${workflow}; ${batches.length} of its batches wait. Start one: nightmill worker`,
    details: { workflow, batches: batches.length },
    // Again each hour that it lasts.
    key: `${workflow}|${Math.floor(now / HOUR_MS)}`,
  };
}

/** The day, `YYYY-MM-DD`, whose summary is due now; undefined where none is. */
export function summaryDay(now: number, timezone: string, summaryAt: number | undefined): string | undefined {
  if (summaryAt === undefined) return undefined;
  const local = now + zoneOffsetMs(now, timezone);
  const late = (local % DAY_MS) - summaryAt * 60_000;
  return late >= 0 && late < SUMMARY_LATE_MS ? new Date(local).toISOString().slice(0, 10) : undefined;
}

async function summarize(
  { batches, ledger }: NoticeContext,
  open: readonly BatchRecord[],
  day: string,
  now: number,
): Promise<Notice> {
  const newest = await batches.list(SUMMARY_BATCHES);
  const ended = newest.filter(({ finishedAt }) => finishedAt !== undefined && finishedAt >= now - DAY_MS);
  const totals = await Promise.all(ended.map(({ batchId }) => ledger.totals(batchScope(batchId))));
  const spent = totals.reduce((sum, { settled, uncertain }) => sum + settled + uncertain, 0);
  const count = (outcome: 'succeeded' | 'failed') => ended.reduce((sum, batch) => sum + batch.outcomes[outcome], 0);
  const [succeeded, failed] = [count('succeeded'), count('failed')];
  const paused = open.filter(({ pause }) => pause !== undefined).length;
  return {
    event: 'night:summary',
    subject: day,
    message:
      `${day}: ${ended.length} batches have ended in 24 hours, ${succeeded.toLocaleString('en')} documents succeeded, ` +
      `${failed.toLocaleString('en')} failed, ${formatUsd(spent)} spent. ${open.length} batches are open` +
      (paused === 0 ? '.' : `, ${paused} of them paused: nightmill status`),
    details: {
      ended: ended.length,
      succeeded,
      failed,
      spentUsd: Number(nanoToDecimal(spent)),
      open: open.length,
      paused,
    },
    key: day,
  };
}
