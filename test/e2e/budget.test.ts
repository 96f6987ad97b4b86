import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { usdToNano } from '../../src/money/money.ts';
import {
  type ConfigOptions,
  configYaml,
  expectBalanced,
  makeDocuments,
  type RowJson,
  toJsonl,
  Workspace,
} from '../helpers/workspace.ts';
import { modelAndRedis } from './model-and-redis.ts';

const { model, redis } = await modelAndRedis();

const documents = makeDocuments(400);
const ids = documents.map(({ id }) => id);
const RUN = ['run', 'docs.jsonl', '-w', 'triage', '-o', 'out'];

async function makeWorkspace(options: Partial<ConfigOptions> = {}): Promise<Workspace> {
  return await Workspace.make({
    'nightmill.yaml': configYaml({ url: model.url, redis: redis.url, slice: 20, ...options }),
    'docs.jsonl': toJsonl(documents),
  });
}

function withoutDurations(rows: readonly RowJson[]) {
  return rows.map(({ durationMs: _, ...row }) => row);
}

describe('a budget that ends in the middle', () => {
  it('stops run with 3 under the limit, and the same run with more money gives what an undisturbed run gives', async () => {
    await using whole = await makeWorkspace();
    await using stopped = await makeWorkspace();
    const undisturbed = await whole.run(RUN);
    expect(undisturbed, undisturbed.stderr).toMatchObject({ code: 0 });
    const fullPrice = model.billNano;
    model.reset();

    const limit = Math.round(fullPrice * 0.6);
    const broke = await stopped.run([...RUN, '--budget', (limit / 1e9).toFixed(9)]);
    expect(broke, broke.stderr).toMatchObject({ code: 3 });
    expect(broke.stderr).toMatch(/stopped by the budget: The limit \$[\d.]+ of batch:triage-\w+ is reached/);
    expect(broke.stderr).toMatch(/nothing is lost\. With a higher limit the same command resumes where it stopped/);
    expect(broke.stderr).toMatch(/nightmill results triage-\w+ -o FOLDER --partial/);
    const id = /batch:(triage-\w+)/.exec(broke.stderr)?.[1] ?? '';
    expect(model.billNano).toBeLessThanOrEqual(limit);
    expect(model.billNano).toBeGreaterThanOrEqual(limit * 0.95);
    expect(await stopped.status(id)).toMatchObject({
      state: 'paused',
      heldUsd: 0,
      limitUsd: limit / 1e9,
      breaker: { state: 'open', cause: 'budget' },
    });
    expect(usdToNano((await stopped.status(id)).spentUsd)).toBe(model.billNano);

    const partial = await stopped.run(['results', id, '-o', 'partial', '--partial']);
    expect(partial, partial.stderr).toMatchObject({ code: 0 });
    const some = await stopped.readRows('partial/results.jsonl');
    expect(some.length).toBeGreaterThan(0);
    expect(some.length).toBeLessThan(400);

    const same = await stopped.run([...RUN, '--budget', (limit / 1e9).toFixed(9)]);
    expect(same, same.stderr).toMatchObject({ code: 3 });
    expect(model.billNano).toBeLessThanOrEqual(limit);

    const richer = await stopped.run([...RUN, '--budget', '1']);
    expect(richer, richer.stderr).toMatchObject({ code: 0 });
    const [one, two] = [await whole.readOutput('out'), await stopped.readOutput('out')];
    expectBalanced(two, ids);
    expect(withoutDurations(two.results)).toEqual(withoutDurations(one.results));
    expect(model.billNano).toBe(fullPrice);
    expect(model.repeats).toBe(0);
    expect(usdToNano(two.manifest.costUsd)).toBe(fullPrice);
    expect(two.manifest.breaker.map(({ event }) => event)).toEqual(expect.arrayContaining(['opened', 'closed']));
  });

  it('a workflow’s day budget holds over all its batches and continues when the config raises it', async () => {
    await using workspace = await makeWorkspace({ workflow: 'budget: { day: 0.002 }' });
    const day = 2_000_000;
    await workspace.write('first.jsonl', toJsonl(documents.slice(0, 10)));
    const first = await workspace.run(['run', 'first.jsonl', '-w', 'triage', '-o', 'first']);
    expect(first, first.stderr).toMatchObject({ code: 0 });
    const spentFirst = model.billNano;
    const second = await workspace.run(RUN);
    expect(second, second.stderr).toMatchObject({ code: 3 });
    expect(second.stderr).toMatch(/of workflow:triage\/day is reached/);
    expect(model.billNano).toBeLessThanOrEqual(day);
    expect(model.billNano).toBeGreaterThanOrEqual(day * 0.95);
    expect(model.billNano).toBeGreaterThan(spentFirst);

    const config = await readFile(workspace.path('nightmill.yaml'), 'utf8');
    await workspace.write('nightmill.yaml', config.replace('day: 0.002', 'day: 5'));
    const third = await workspace.run(RUN);
    expect(third, third.stderr).toMatchObject({ code: 0 });
    expectBalanced(await workspace.readOutput('out'), ids);
    expect(model.repeats).toBe(10);
  });

  it('a limit smaller than one call stops before the first request and says so', async () => {
    await using workspace = await makeWorkspace();
    const finished = await workspace.run([...RUN, '--budget', '0.000001']);
    expect(finished, finished.stderr).toMatchObject({ code: 3 });
    expect(finished.stderr).toMatch(/smaller than one call, which may cost up to \$/);
    expect(model.calls).toHaveLength(0);
  });

  it('submit --wait ends with 3 when a worker meets the limit', async () => {
    await using workspace = await makeWorkspace();
    await workspace.startWorker();
    const finished = await workspace.run([
      'submit',
      'docs.jsonl',
      '-w',
      'triage',
      '--wait',
      '--budget',
      '0.0005',
      '--json',
    ]);
    expect(finished, finished.stderr).toMatchObject({ code: 3 });
    expect(JSON.parse(finished.stdout)).toMatchObject({ state: 'paused', breaker: { state: 'open', cause: 'budget' } });
    expect(model.billNano).toBeLessThanOrEqual(500_000);
  });

  it('a colleague with another config who only looks changes no limit, until it is applied', async () => {
    const config = configYaml({ url: model.url, redis: redis.url, workflow: 'budget: { day: 0.002 }' });
    await using workspace = await Workspace.make({
      'nightmill.yaml': config,
      'rich.yaml': config.replace('day: 0.002', 'day: 50'),
      'docs.jsonl': toJsonl(makeDocuments(60)),
    });
    expect((await workspace.run([...RUN])).code).toBe(3);
    const limitNow = async () => {
      const shown = await workspace.run(['budget', 'show', '--json']);
      const scopes = JSON.parse(shown.stdout) as { scope: string; limitUsd: number | null }[];
      return scopes.find(({ scope }) => scope === 'workflow:triage/day')?.limitUsd;
    };
    for (const looking of [['status'], ['budget', 'show'], ['plan', 'docs.jsonl', '-w', 'triage']]) {
      const looked = await workspace.run(['--config', 'rich.yaml', ...looking]);
      expect(looked, looked.stderr).toMatchObject({ code: 0 });
      expect(await limitNow()).toBe(0.002);
    }
    const applied = await workspace.run(['--config', 'rich.yaml', 'apply']);
    expect(applied.stdout).toContain('workflow:triage/day: $50');
    expect(await limitNow()).toBe(50);
    await workspace.run(['budget', 'set', 'workflow:triage/day', '7']);
    await workspace.run(['apply']);
    expect(await limitNow()).toBe(7);
    await workspace.run(['budget', 'set', 'workflow:triage/day', 'none']);
    expect(await limitNow()).toBe(0.002);
  });
});
