import { describe, expect, it } from 'vitest';
import { usdToNano } from '../../src/money/money.ts';
import { configYaml, expectBalanced, makeDocuments, toJsonl, Workspace } from '../helpers/workspace.ts';
import { modelAndRedis } from './model-and-redis.ts';

const { model, redis } = await modelAndRedis();

const documents = makeDocuments(40);
const ids = documents.map(({ id }) => id);

async function makeWorkspace(): Promise<Workspace> {
  return await Workspace.make({
    'nightmill.yaml': configYaml({ url: model.url, redis: redis.url, concurrency: 4 }),
    'docs.jsonl': toJsonl(documents),
  });
}

function inSeconds(seconds: number): string {
  return new Date(Date.now() + seconds * 1000).toISOString();
}

describe('--expires', () => {
  it('ends a batch with what is done; the rest are expired rows, and the books balance', async () => {
    await using workspace = await makeWorkspace();
    model.holdAfter(16);
    const run = workspace.run([
      'run',
      'docs.jsonl',
      '-w',
      'triage',
      '--id',
      'b',
      '--expires',
      inSeconds(10),
      '-o',
      'out',
    ]);
    await model.until(() => model.count('waiting') === 4);
    await workspace.statusWhen('b', ({ documents: { expired = 0 } }) => expired > 0);
    model.release();
    const ended = await run;
    expect(ended, ended.stderr).toMatchObject({ code: 5 });
    const output = await workspace.readOutput('out');
    expectBalanced(output, ids);
    expect(output.manifest).toMatchObject({ state: 'expired' });
    expect(output.results.length).toBeGreaterThan(0);
    expect(new Set(output.errors.map(({ status }) => status))).toEqual(new Set(['expired']));
    expect(usdToNano(output.manifest.costUsd) + usdToNano(output.manifest.uncertainUsd)).toBe(model.billNano);
  });

  it('ends a paused batch too, for nothing', async () => {
    await using workspace = await makeWorkspace();
    await workspace.run(['submit', 'docs.jsonl', '-w', 'triage', '--id', 'b', '--expires', inSeconds(4)]);
    await workspace.run(['pause', 'b']);
    await workspace.startWorker();
    const status = await workspace.statusWhen('b', ({ state }) => state === 'expired');
    expect(status).toMatchObject({ spentUsd: 0, documents: { total: 40, expired: 40 } });
    expect(model.calls).toHaveLength(0);
  });
});
