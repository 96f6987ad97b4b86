import { beforeEach, describe, expect, test } from 'vitest';
import type { BatchStatus } from '../../src/batches/batch-status.ts';
import { openBreaker } from '../../src/budgets/breaker.ts';
import { runMaintenance } from '../../src/budgets/housekeeping.ts';
import { progressText } from '../../src/cli/progress.ts';
import { isSatOut } from '../../src/ledger/pause.ts';
import { classifyHttpFailure } from '../../src/providers/classify-http-failure.ts';
import { ModelCallError } from '../../src/providers/failure.ts';
import { processSlice } from '../../src/slices/process-slice.ts';
import { labelReply, MemoryApp } from '../helpers/memory/memory-app.ts';

const LONGEST_WAIT_MS = 900_000;
const WAIT_MS = 90_000;

let app: MemoryApp;
beforeEach(async () => {
  app = await MemoryApp.open();
});

/** A provider that has had enough after two calls, for a minute and a half. */
function restsAfterTwoCalls(): void {
  let restsUntil: number | undefined;
  app.answer = () => {
    if (app.requests.length === 3) restsUntil = app.clock.now() + WAIT_MS;
    const seconds = restsUntil === undefined ? 0 : Math.ceil((restsUntil - app.clock.now()) / 1_000);
    if (seconds <= 0) return labelReply('bug');
    const body = JSON.stringify({ error: { message: 'come later' } });
    const said = classifyHttpFailure(429, body, { 'retry-after': `${seconds}` }, app.clock.now());
    throw new ModelCallError('come later', { billing: 'none', status: 429, ...said });
  };
}

describe('Retry-After: 90', () => {
  test('is sat out by who works on the batch, asks nothing meanwhile, and says until when', async () => {
    restsAfterTwoCalls();
    const batch = await app.batchOf(['one', 'two', 'three', 'four']);
    const owner = { batchId: batch, workflow: 'triage', timezones: { workflow: 'UTC', global: 'UTC' } };
    const startedAt = app.clock.now();
    const work = () => processSlice(app.slices, { batch, slice: 0 }, undefined);

    const stopped = await work();
    if (stopped.kind !== 'stopped' || stopped.reason.kind !== 'provider') throw new Error(JSON.stringify(stopped));
    await openBreaker(app.housekeeping, owner, stopped.reason);
    const asked = app.requests.length;
    const hold = await app.pauses.get('triage');
    const endsAt = hold?.retryAt ?? 0;
    expect(endsAt - startedAt).toBeGreaterThanOrEqual(WAIT_MS);
    expect(endsAt - startedAt).toBeLessThan(WAIT_MS + 5_000);
    expect(hold?.reason).toContain(`Work resumes by itself at ${new Date(endsAt).toISOString()}`);

    for (let second = 0; (await app.pauses.get('triage')) !== undefined; second++) {
      expect(second).toBeLessThan(100);
      expect(isSatOut((await app.pauses.get('triage'))!, app.clock.now(), LONGEST_WAIT_MS)).toBe(true);
      expect([...app.jobs.paused]).toEqual(['triage']);
      app.clock.advance(1_000);
      await runMaintenance(app.housekeeping);
    }
    expect(app.clock.now() - startedAt).toBeGreaterThanOrEqual(WAIT_MS);
    expect(app.requests).toHaveLength(asked);
    expect([...app.jobs.paused]).toEqual([]);

    expect(await work()).toMatchObject({ kind: 'committed' });
    expect(await app.rows(batch)).toMatchObject(Array(4).fill({ status: 'succeeded', result: { label: 'bug' } }));
    // Two before the wait and two after it: the replies from before are not bought again.
    expect(app.requests).toHaveLength(asked + 2);
  });

  test('ends the work where the provider names more than the longest wait, or nothing', () => {
    const pause = { cause: 'provider', reason: 'come later', since: 0, retry: true } as const;
    expect(isSatOut({ ...pause, retryAt: WAIT_MS }, 0, LONGEST_WAIT_MS)).toBe(true);
    expect(isSatOut({ ...pause, retryAt: LONGEST_WAIT_MS + 1 }, 0, LONGEST_WAIT_MS)).toBe(false);
    expect(isSatOut({ ...pause, retryAt: WAIT_MS }, 0, 0)).toBe(false);
    expect(isSatOut(pause, 0, LONGEST_WAIT_MS)).toBe(false);
    expect(isSatOut({ ...pause, cause: 'budget' }, 0, LONGEST_WAIT_MS)).toBe(false);
    expect(isSatOut({ ...pause, cause: 'operator' }, 0, LONGEST_WAIT_MS)).toBe(true);
  });

  test('stands in the progress', () => {
    const hold = { cause: 'provider', reason: 'come later', since: 0, retry: true } as const;
    const status = (retryAt?: number): BatchStatus =>
      ({
        state: 'paused',
        documents: { done: 2, total: 4 },
        spent: 0,
        breaker: { hold: { ...hold, ...(retryAt === undefined ? {} : { retryAt }) } },
      }) as unknown as BatchStatus;
    expect(progressText(status(Date.parse('2026-03-01T12:01:30.400Z')))).toMatch(
      / {2}paused until 2026-03-01T12:01:30Z, as the provider asked$/,
    );
    expect(progressText(status())).toMatch(/ {2}paused$/);
  });
});
