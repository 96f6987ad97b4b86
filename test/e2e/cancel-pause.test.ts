import { describe, expect, it } from 'vitest';
import { usdToNano } from '../../src/money/money.ts';
import { configYaml, expectBalanced, makeDocuments, toJsonl, Workspace } from '../helpers/workspace.ts';
import { modelAndRedis } from './model-and-redis.ts';

const { model, redis } = await modelAndRedis();

const documents = makeDocuments(40);
const ids = documents.map(({ id }) => id);

async function makeWorkspace(): Promise<Workspace> {
  return await Workspace.make({
    'nightmill.yaml': configYaml({ url: model.url, redis: redis.url, slice: 10, concurrency: 4 }),
    'docs.jsonl': toJsonl(documents),
  });
}

describe('nightmill cancel', () => {
  it('cancel while a worker is busy ends a waiting submit with 5, keeps paid answers and balances the books', async () => {
    await using workspace = await makeWorkspace();
    await workspace.startWorker();
    model.holdAfter(16);
    const waiting = workspace.run(['submit', 'docs.jsonl', '-w', 'triage', '--wait', '--id', 'stop-me']);
    await model.until(() => model.count('waiting') === 4);
    await workspace.statusWhen('stop-me', ({ spentUsd }) => usdToNano(spentUsd) === model.billNano);
    const cancelling = workspace.run(['cancel', 'stop-me', '--json']);
    await workspace.statusWhen('stop-me', ({ documents: { cancelled = 0 } }) => cancelled > 0);
    model.release();
    const cancelled = await cancelling;
    expect(cancelled, cancelled.stderr).toMatchObject({ code: 0 });
    expect(JSON.parse(cancelled.stdout)).toMatchObject({ id: 'stop-me', state: 'cancelled', heldUsd: 0 });
    expect(await waiting).toMatchObject({ code: 5 });

    const results = await workspace.run(['results', 'stop-me', '-o', 'out']);
    expect(results, results.stderr).toMatchObject({ code: 5 });
    const output = await workspace.readOutput('out');
    expectBalanced(output, ids);
    expect(output.manifest.state).toBe('cancelled');
    expect(output.results).toHaveLength(16);
    expect(output.errors).toHaveLength(24);
    for (const row of output.errors) expect(row).toMatchObject({ status: 'cancelled', error: { code: 'cancelled' } });
    const { costUsd, uncertainUsd } = output.manifest;
    expect(usdToNano(costUsd) + usdToNano(uncertainUsd)).toBe(model.billNano);
    expect(model.calls).toHaveLength(20);
  });

  it('cancel of a batch that nobody works on needs no worker, and cancelling again changes nothing', async () => {
    await using workspace = await makeWorkspace();
    await workspace.run(['submit', 'docs.jsonl', '-w', 'triage', '--id', 'quiet']);
    const first = await workspace.run(['cancel', 'quiet']);
    const second = await workspace.run(['cancel', 'quiet']);
    expect([first.code, second.code], first.stderr).toEqual([0, 0]);
    expect(await workspace.status('quiet')).toMatchObject({
      state: 'cancelled',
      spentUsd: 0,
      documents: { cancelled: 40 },
    });
    const run = await workspace.run(['run', 'docs.jsonl', '-w', 'triage', '--id', 'quiet', '-o', 'out']);
    expect(run, run.stderr).toMatchObject({ code: 5 });
    expectBalanced(await workspace.readOutput('out'), ids);
    expect(model.calls).toHaveLength(0);
    const unknown = await workspace.run(['cancel', 'nobody']);
    expect(unknown).toMatchObject({ code: 2 });
    expect(unknown.stderr).toMatch(/There is no batch "nobody".*nightmill status/);
  });

  it('cancel ends a run of another process with 5 and keeps what it had paid for', async () => {
    await using workspace = await makeWorkspace();
    model.holdAfter(16);
    const run = workspace.run(['run', 'docs.jsonl', '-w', 'triage', '--id', 'mine', '-o', 'out']);
    await model.until(() => model.count('waiting') === 4);
    const cancelling = workspace.run(['cancel', 'mine']);
    await workspace.statusWhen('mine', ({ documents: { cancelled = 0 } }) => cancelled > 0);
    model.release();
    expect(await cancelling).toMatchObject({ code: 0 });
    const ended = await run;
    expect(ended, ended.stderr).toMatchObject({ code: 5 });
    const output = await workspace.readOutput('out');
    expectBalanced(output, ids);
    expect(output.results.length + output.errors.length).toBe(40);
    expect(usdToNano(output.manifest.costUsd) + usdToNano(output.manifest.uncertainUsd)).toBe(model.billNano);
  });
});

describe('nightmill pause and resume', () => {
  it('a paused workflow makes no new call until it is resumed, and then finishes', async () => {
    await using workspace = await makeWorkspace();
    await workspace.run(['submit', 'docs.jsonl', '-w', 'triage', '--id', 'b']);
    model.holdAfter(6);
    await workspace.startWorker();
    await model.until(() => model.count('waiting') === 4);
    expect(await workspace.json(['pause', 'triage'])).toMatchObject({
      name: 'triage',
      kind: 'workflow',
      state: 'paused',
    });
    // The worker hears of it within a second or two; until then one answer at a time lets its calls end.
    let looks = 0;
    const paused = await workspace.statusWhen('b', ({ heldUsd }) => {
      if (looks++ % 4 === 0) model.holdAfter(1);
      return heldUsd === 0;
    });
    model.release();
    expect(paused).toMatchObject({ state: 'paused', breaker: { state: 'open', cause: 'operator' } });
    const calls = model.calls.length;
    expect(calls).toBeLessThan(40);
    const run = await workspace.run(['run', 'docs.jsonl', '-w', 'triage', '-o', 'out']);
    expect(run).toMatchObject({ code: 2 });
    expect(run.stderr).toContain('nightmill resume triage');
    expect(await workspace.json<unknown[]>(['status'])).toHaveLength(1);
    expect(model.calls).toHaveLength(calls);
    expect(await workspace.json(['resume', 'triage'])).toMatchObject({ changed: true });
    await workspace.statusWhen('b', ({ state }) => state === 'completed');
    expect(await workspace.json(['resume', 'triage'])).toMatchObject({ changed: false });
    expect(model.repeats).toBe(0);
  });

  it('a paused batch waits while another batch of its workflow continues', async () => {
    await using workspace = await makeWorkspace();
    await workspace.write(
      'other.jsonl',
      toJsonl(documents.map((document) => ({ ...document, text: `other ${document.text}` }))),
    );
    await workspace.run(['submit', 'docs.jsonl', '-w', 'triage', '--id', 'waits']);
    await workspace.run(['submit', 'other.jsonl', '-w', 'triage', '--id', 'goes']);
    expect(await workspace.json(['pause', 'waits'])).toMatchObject({ kind: 'batch', state: 'paused' });
    await workspace.startWorker();
    await workspace.statusWhen('goes', ({ state }) => state === 'completed');
    expect(await workspace.status('waits')).toMatchObject({ state: 'paused', spentUsd: 0 });
    expect(model.calls).toHaveLength(40);
    expect(await workspace.json(['resume', 'waits'])).toMatchObject({ changed: true });
    await workspace.statusWhen('waits', ({ state }) => state === 'completed');
    expect(model.calls).toHaveLength(80);
    const unknown = await workspace.run(['pause', 'nobody']);
    expect(unknown).toMatchObject({ code: 2 });
    expect(unknown.stderr).toMatch(/no workflow and no batch "nobody"; workflows: triage, digest/);
  });
});
