import { beforeEach, describe, expect, test } from 'vitest';
import type { BatchRecord } from '../../src/batches/batch-registry.ts';
import { pauseBatch, pauseWorkflow } from '../../src/budgets/breaker.ts';
import { checkNotices, type NoticeContext, summaryDay } from '../../src/budgets/check-notices.ts';
import type { Notice } from '../../src/budgets/notice.ts';
import { openNotifier } from '../../src/budgets/notify.ts';
import { WORKER } from '../fixtures/worker.ts';
import { MemoryApp } from '../helpers/memory/memory-app.ts';

const QUIET = { debug() {}, info() {}, warn() {}, error() {} };
const HOUR_MS = 3_600_000;
const NOON = Date.parse('2026-03-01T12:00:00Z');

let app: MemoryApp;
beforeEach(async () => {
  app = await MemoryApp.open();
});

test('each notice is sent once in the cluster, and a memory that fails loses it without harm', async () => {
  const seen = new Set<string>();
  const sent: unknown[] = [];
  const memory = {
    claimCheck: async () => true,
    remember: async (key: string) => !seen.has(key) && seen.add(key) !== undefined,
  };
  const sink = { send: (message: unknown) => void sent.push(message), close: async () => {} };
  const notice: Notice = { event: 'batch:finished', subject: 'b', message: 'done', key: 'b' };
  const clock = app.clock;
  await openNotifier({ memory, sink, clock, log: QUIET })(notice);
  await openNotifier({ memory, sink, clock, log: QUIET })(notice);
  expect(sent).toEqual([notice]);
  const broken = { ...memory, remember: () => Promise.reject(new Error('away')) };
  await openNotifier({ memory: broken, sink, clock, log: QUIET })({ ...notice, key: 'c' });
  expect(sent).toHaveLength(1);
});

test('a pause is told with its cause, of a workflow and of a batch, and once while it lasts', async () => {
  const pause = { cause: 'operator' as const, reason: 'anna is looking.', since: 5 };
  await pauseWorkflow(app.housekeeping, 'triage', pause);
  await pauseWorkflow(app.housekeeping, 'triage', pause);
  const batch = await app.batchOf(['a']);
  await pauseBatch(app.housekeeping, batch, {
    cause: 'budget',
    reason: 'The limit is reached.',
    since: 6,
    scope: `batch:${batch}`,
  });
  expect(app.notices).toEqual([
    expect.objectContaining({
      event: 'work:paused',
      subject: 'triage',
      message: 'Workflow triage is paused by operator: anna is looking.',
    }),
    expect.objectContaining({ subject: batch, details: { cause: 'budget', scope: `batch:${batch}` } }),
  ]);
});

describe('checkNotices()', () => {
  const sent: Notice[] = [];
  const batch = { batchId: 'b', workflow: 'triage', state: 'running', createdAt: NOON - HOUR_MS } as BatchRecord;
  const context = (more: Partial<NoticeContext> = {}): NoticeContext => ({
    batches: app.batches,
    ledger: app.ledger,
    workers: { live: async () => [] },
    clock: { ...app.clock, now: () => NOON, monotonic: () => 0, sleep: async () => {} },
    notify: async (notice) => void sent.push(notice),
    timezone: 'Europe/Berlin',
    ...more,
  });
  beforeEach(() => {
    sent.length = 0;
  });

  test('says that no worker is alive for work that has waited a minute, each hour anew', async () => {
    await checkNotices(context(), [batch]);
    expect(sent).toMatchObject([
      { event: 'workers:none', subject: 'triage', message: expect.stringContaining('Start one: nightmill worker') },
    ]);
    await checkNotices(context({ workers: { live: async () => [WORKER] } }), [batch]);
    await checkNotices(context(), [{ ...batch, createdAt: NOON - 1_000 }]);
    await checkNotices(context(), []);
    expect(sent).toHaveLength(1);
    const later = context({
      clock: { ...app.clock, now: () => NOON + HOUR_MS, monotonic: () => 0, sleep: async () => {} },
    });
    await checkNotices(later, [batch]);
    expect(sent[1]?.key).not.toBe(sent[0]?.key);
  });

  test('a night has one summary, at its hour in the time zone of the config', async () => {
    // 13:00 in Berlin.
    await checkNotices(context({ summaryAt: 13 * 60 }), []);
    expect(sent).toMatchObject([
      {
        event: 'night:summary',
        subject: '2026-03-01',
        message: expect.stringMatching(/^2026-03-01: 0 batches have ended in 24 hours/),
      },
    ]);
    expect(summaryDay(NOON, 'Europe/Berlin', 13 * 60 + 1)).toBeUndefined();
    expect(summaryDay(NOON + 2 * HOUR_MS - 1, 'Europe/Berlin', 13 * 60)).toBe('2026-03-01');
    expect(summaryDay(NOON + 2 * HOUR_MS, 'Europe/Berlin', 13 * 60)).toBeUndefined();
    expect(summaryDay(NOON, 'Europe/Berlin', undefined)).toBeUndefined();
  });
});
