import { expect, test } from 'vitest';
import type { Check } from '../../src/doctor/check.ts';
import { configYaml, expectBalanced, makeDocuments, toJsonl, Workspace } from '../helpers/workspace.ts';
import { modelAndRedis } from './model-and-redis.ts';

const { model, redis } = await modelAndRedis();

const HOUR_MS = 3_600_000;
const DAY_NANO = 2_000_000;

/** A process whose clock is wrong. */
function withClock(aheadMs: number) {
  const url = new URL('../helpers/false-clock.ts', import.meta.url);
  url.searchParams.set('ahead', String(aheadMs));
  return { node: ['--import', url.href] } as const;
}

async function makeWorkspace(documents: ReturnType<typeof makeDocuments>): Promise<Workspace> {
  return await Workspace.make({
    'nightmill.yaml': configYaml({ url: model.url, redis: redis.url, workflow: 'budget: { day: 0.002 }' }),
    'docs.jsonl': toJsonl(documents),
  });
}

test('the limit of a day is spent: a worker 26 hours ahead neither takes the pause away nor spends, nor takes other work', async () => {
  const documents = makeDocuments(400);
  await using workspace = await makeWorkspace(documents);
  const right = await workspace.startWorker();
  const id = (await workspace.run(['submit', 'docs.jsonl', '-w', 'triage'])).stdout.trim();
  await workspace.statusWhen(id, ({ state, heldUsd }) => state === 'paused' && heldUsd === 0);
  right.kill('SIGTERM');
  await right.exited;
  const spent = model.billNano;
  expect(spent).toBeGreaterThan(DAY_NANO * 0.9);
  expect(spent).toBeLessThanOrEqual(DAY_NANO);

  await workspace.write('docs.jsonl', toJsonl(documents.slice(0, 3)));
  const broke = await workspace.run(['run', 'docs.jsonl', '-w', 'digest', '-o', 'none', '--budget', '0.000001']);
  expect(broke, broke.stderr).toMatchObject({ code: 3 });
  const other = /batch:(digest-\w+)/.exec(broke.stderr)?.[1] ?? '';
  const calls = model.calls.length;

  const ahead = workspace.start(['worker'], withClock(26 * HOUR_MS));
  await ahead.prints(/26\.0 h ahead of Redis's.*takes no work.*clock:differs/);
  await ahead.prints(/worker:started/);
  // What a raised limit allows is let go, and still this worker takes none of it.
  await workspace.run(['budget', 'set', `batch:${other}`, '1']);
  await workspace.statusWhen(other, ({ state }) => state !== 'paused');
  expect(await workspace.status(id)).toMatchObject({ state: 'paused', breaker: { cause: 'budget' } });
  expect(ahead.stderr).not.toMatch(/"workflow":.*breaker:closed/);
  expect(model.calls).toHaveLength(calls);

  const healthy = await workspace.startWorker();
  await workspace.statusWhen(other, ({ state }) => state === 'completed');
  healthy.kill('SIGTERM');
  await healthy.exited;
  ahead.kill('SIGTERM');
  const { stderr } = await ahead.exited;
  expect(stderr).not.toMatch(/slice:committed|slice:stopped/);
  expect(healthy.stderr).toMatch(/slice:committed/);
  expect(await workspace.status(id)).toMatchObject({ state: 'paused' });
  expect(model.calls.length).toBe(calls + 3);
}, 240_000);

test('a worker 30 s behind works, says so, and dates by Redis’s time', async () => {
  const documents = makeDocuments(10);
  await using workspace = await makeWorkspace(documents);
  const before = Date.now() - 2;
  const behind = await workspace.run(['run', 'docs.jsonl', '-w', 'triage', '-o', 'out'], withClock(-30_000));
  expect(behind, behind.stderr).toMatchObject({ code: 0 });
  expect(behind.stderr).toMatch(/30\.\d s behind Redis's.*clock:differs/);
  const output = await workspace.readOutput('out');
  expectBalanced(
    output,
    documents.map((document) => document.id),
  );
  expect(Date.parse(String((output.manifest as unknown as { createdAt: string }).createdAt))).toBeGreaterThan(before);
});

test('run on a machine whose clock is wrong ends with the fix, and doctor says the same', async () => {
  await using workspace = await makeWorkspace(makeDocuments(10));
  const wrong = withClock(-26 * HOUR_MS);
  const run = await workspace.run(['run', 'docs.jsonl', '-w', 'triage', '-o', 'out'], wrong);
  expect(run, run.stderr).toMatchObject({ code: 1 });
  expect(run.stderr).toMatch(/nightmill: Cannot work: this machine's clock is 26\.0 h behind Redis's.*NTP/);
  expect(run.stderr).not.toMatch(/\n {4}at /);
  expect(model.calls).toHaveLength(0);
  const doctor = await workspace.run(['doctor', '--json'], wrong);
  const { checks } = JSON.parse(doctor.stdout) as { checks: Check[] };
  expect(checks.find(({ name }) => name === 'clock')).toMatchObject({ state: 'failed' });
  const well = await workspace.run(['doctor', '--json']);
  const { checks: right } = JSON.parse(well.stdout) as { checks: Check[] };
  expect(right.find(({ name }) => name === 'clock')).toMatchObject({ state: 'ok' });
});
