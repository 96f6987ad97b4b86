import { beforeEach, describe, expect, test } from 'vitest';
import { EndingWatch } from '../../src/batches/ending-watch.ts';
import { openBreaker, resumeBatch, resumeWorkflow } from '../../src/budgets/breaker.ts';
import { maintainCluster, runMaintenance } from '../../src/budgets/housekeeping.ts';
import { SliceRun } from '../../src/calls/slice-run.ts';
import { takeLastStep } from '../../src/finalize/take-last-step.ts';
import type { Pause } from '../../src/ledger/pause.ts';
import { batchScope } from '../../src/ledger/scope.ts';
import { commitOf, replyOf, ticketOf } from '../contract/cluster.ts';
import { MemoryApp } from '../helpers/memory/memory-app.ts';

let app: MemoryApp;
let batch: string;
beforeEach(async () => {
  app = await MemoryApp.open();
  batch = await app.batchOf(['a']);
});

const owner = () => ({ batchId: batch, workflow: 'triage', timezones: { workflow: 'UTC', global: 'UTC' } });
const refused = (scope: string, limit = 100, hold = 30) =>
  ({ kind: 'budget', refusal: { scope, limit, settled: 80, uncertain: 0, held: 0 }, hold }) as const;
const provider = (pause: Partial<Pause> = {}) =>
  ({
    kind: 'provider',
    provider: 'acme',
    hold: { cause: 'provider', reason: 'down', since: app.clock.now(), retry: true, ...pause },
  }) as const;
const open = (reason: ReturnType<typeof refused> | ReturnType<typeof provider>) =>
  openBreaker(app.housekeeping, owner(), reason);
const keep = () => runMaintenance(app.housekeeping);

describe('openBreaker()', () => {
  test.each([
    ['workflow:triage/day', ['triage'], false],
    ['global/month', ['triage', 'other'], false],
    ['tenant:acme/day', [], true],
  ])('a refusal by %s pauses %j, and the batch alone: %s', async (scope, workflows, isBatch) => {
    await openBreaker({ ...app.housekeeping, workflows: ['triage', 'other'] }, owner(), refused(scope));
    expect([...app.jobs.paused]).toEqual(workflows);
    expect((await app.batches.get(batch))?.pause?.scope).toBe(isBatch ? scope : undefined);
  });

  test('says the amounts and the command that helps, and is reported once', async () => {
    await open(refused('workflow:triage/day', 1_000_000_000));
    await open(refused('workflow:triage/day', 1_000_000_000));
    expect((await app.pauses.get('triage'))?.reason).toMatch(
      /^The limit \$1\.00 of workflow:triage\/day is reached.*budget set/,
    );
    expect(app.events.filter(({ event }) => event === 'breaker:open')).toHaveLength(1);
    expect(await app.pauses.history('triage')).toMatchObject([{ event: 'opened', scope: 'workflow:triage/day' }]);
  });

  test('a provider that refuses one model pauses the batch alone, else the workflow', async () => {
    await open(provider({ ofBatch: true }));
    expect([...app.jobs.paused]).toEqual([]);
    expect((await app.batches.get(batch))?.pause?.cause).toBe('provider');
    await open(provider());
    expect([...app.jobs.paused]).toEqual(['triage']);
  });

  test('a workflow with two pauses resumes when the last one ends; a batch’s slices are enqueued then', async () => {
    await open(refused('workflow:triage/day'));
    await open(provider());
    const [first, second] = await app.pauses.all('triage');
    await resumeWorkflow(app.housekeeping, 'triage', 'raised', first);
    expect([...app.jobs.paused]).toEqual(['triage']);
    await resumeWorkflow(app.housekeeping, 'triage', 'raised', second);
    expect([...app.jobs.paused]).toEqual([]);
    await open(refused('tenant:acme/day'));
    await resumeBatch(app.housekeeping, batch, 'raised');
    expect(app.jobs.slices).toMatchObject([{ batch, slice: 0, workflow: 'triage' }]);
  });
});

describe('runMaintenance()', () => {
  test('closes a breaker when the limit was raised, and not before', async () => {
    await app.ledger.setLimit('workflow:triage/day', 100);
    await open(refused('workflow:triage/day'));
    // Nothing was really spent, so the money that the call needs is there only once it is counted as spent.
    const claim = await app.cluster.claim(batch);
    const period = (await app.pauses.get('triage'))?.period ?? '';
    const ticket = ticketOf(claim, 90, { scopes: [batchScope(batch), { name: 'workflow:triage/day', period }] });
    await app.ledger.admit(ticket);
    await app.ledger.settle(ticket, replyOf(90));
    await keep();
    expect([...app.jobs.paused]).toEqual(['triage']);
    await app.ledger.setLimit('workflow:triage/day', 200);
    await keep();
    expect([...app.jobs.paused]).toEqual([]);
    expect(await app.pauses.history('triage')).toMatchObject([{}, { event: 'closed', reason: 'the limit was raised' }]);
  });

  test('closes a day’s breaker when a new day has begun', async () => {
    await app.ledger.setLimit('global/day', 0);
    await open({ ...refused('global/day', 0), hold: 30 });
    await keep();
    expect([...app.jobs.paused]).toEqual(['triage']);
    app.clock.advance(24 * 3_600_000);
    await keep();
    expect([...app.jobs.paused]).toEqual([]);
  });

  test('tries a provider again after half a minute, or when it said; never one that needs a person', async () => {
    await open(provider());
    app.clock.advance(29_000);
    await keep();
    expect([...app.jobs.paused]).toEqual(['triage']);
    app.clock.advance(1_000);
    await keep();
    expect([...app.jobs.paused]).toEqual([]);
    await open(provider({ retry: false }));
    app.clock.advance(3_600_000);
    await keep();
    expect([...app.jobs.paused]).toEqual(['triage']);
  });

  test('ends a batch whose cancelling process has not got on for half a minute, and never one that gets on', async () => {
    const endings = new EndingWatch();
    const look = () => maintainCluster(app.housekeeping, endings);
    const other = await app.cluster.queuedBatch(3);
    await app.batches.markEnding(batch, 'cancelled');
    await app.batches.markEnding(other, 'cancelled');
    for (let slice = 0; slice < 2; slice += 1) {
      await look();
      app.clock.advance(20_000);
      const { token } = await app.cluster.claim(other, slice);
      await app.batches.commitSlice(other, slice, token, commitOf(token));
    }
    expect(app.jobs.finalize).toEqual([]);
    await look();
    expect(app.jobs.finalize).toEqual([{ batch }]);
    const { batches, slices, finalize } = app;
    expect(await takeLastStep({ batches, slices, finalize, reap: async () => 0 }, batch)).toBe(true);
    expect(await app.batches.get(batch)).toMatchObject({ state: 'cancelled', outcomes: { cancelled: 1 } });
  });

  test('lets jobs be tried that were put off beyond a minute', async () => {
    const asked: [string, number][] = [];
    app.jobs.promoteAfter = async (queue, latest) => asked.push([queue, latest - app.clock.now()]);
    await keep();
    expect(asked).toEqual([
      ['triage', 60_000],
      ['nightmill.finalize', 60_000],
    ]);
  });

  test('stops slices of paused work and lets the others be', async () => {
    const run = new SliceRun(await app.cluster.claim(batch), new Map());
    app.runs.add(run);
    await keep();
    expect(run.reason).toBeUndefined();
    await app.batches.pauseBatch(batch, { cause: 'operator', reason: 'asked', since: 0 });
    await keep();
    expect(run.reason).toEqual({ kind: 'paused' });
  });

  test('a workflow drains from its share of a limit on', async () => {
    const run = new SliceRun(await app.cluster.claim(batch), new Map(), { drainAt: 0.8 });
    app.runs.add(run);
    await app.ledger.setLimit(batchScope(batch).name, 100);
    const ticket = ticketOf(run.claim, 80);
    await app.ledger.admit(ticket);
    await app.ledger.settle(ticket, replyOf(79));
    await keep();
    expect(run.draining).toBe(false);
    const last = ticketOf(run.claim, 1);
    await app.ledger.admit(last);
    await app.ledger.settle(last, replyOf(1));
    await keep();
    expect(run.draining).toBe(true);
  });

  test('books what a dead worker held, and says of which batch, how many calls and dollars', async () => {
    await app.ledger.admit(ticketOf(await app.cluster.claim(batch), 40));
    await app.cluster.endLease(app.workerId);
    await keep();
    expect(await app.ledger.totals(batchScope(batch))).toMatchObject({ uncertain: 40, held: 0 });
    expect(app.events).toContainEqual({
      event: 'ledger:uncertain',
      fields: { worker: app.workerId, batch, calls: 1, usd: '0.00000004' },
    });
  });

  test('enqueues the end of a batch whose slices are all committed, and slices whose jobs were lost', async () => {
    await keep();
    expect(app.jobs.slices).toMatchObject([{ batch, slice: 0 }]);
    const { token } = await app.cluster.claim(batch);
    await app.batches.commitSlice(batch, 0, token, commitOf(token));
    await keep();
    expect(app.jobs.finalize).toEqual([{ batch }]);
  });
});
