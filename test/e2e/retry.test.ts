import { describe, expect, it } from 'vitest';
import { configYaml, expectBalanced, toJsonl, Workspace } from '../helpers/workspace.ts';
import { modelAndRedis } from './model-and-redis.ts';

const { model, redis } = await modelAndRedis();

const DOCUMENTS = Array.from({ length: 12 }, (_, index) => ({
  id: `d${index}`,
  text: `Ticket ${index}: the invoice is wrong and the page fails to open.`,
  metadata: { row: index },
}));
const IDS = DOCUMENTS.map(({ id }) => id);

/** Refuses the tickets of these numbers. */
function refusing(...numbers: readonly number[]) {
  model.answer = (request) =>
    numbers.some((number) => request.document.includes(`Ticket ${number}:`))
      ? { content: 'no idea' }
      : { content: '{"label":"billing","confidence":0.9}' };
}

describe('nightmill retry', () => {
  it('asks the failed documents again, and puts the answers where the errors were', async () => {
    await using workspace = await Workspace.make({
      'nightmill.yaml': configYaml({ url: model.url, redis: redis.url, cascade: '[{ model: small }]' }),
      'docs.jsonl': toJsonl(DOCUMENTS),
    });
    refusing(3, 7, 11);
    const first = await workspace.run(['run', 'docs.jsonl', '-w', 'triage', '-o', 'out', '--id', 'night']);
    expect(first, first.stderr).toMatchObject({ code: 4 });
    const before = await workspace.readOutput('out');
    expect(before.errors.map(({ id }) => id)).toEqual(['d3', 'd7', 'd11']);

    refusing(7);
    const second = await workspace.run(['retry', 'night', '-o', 'out']);
    expect(second.stderr).toContain('3 documents of night are asked again, as night.retry-1');
    expect(second, second.stderr).toMatchObject({ code: 4 });
    const after = await workspace.readOutput('out');
    expect(after.results.map(({ id }) => id)).toEqual(IDS.filter((id) => id !== 'd7'));
    expect(after.errors.map(({ id }) => id)).toEqual(['d7']);
    expectBalanced(after, IDS);
    const retried = after.results.find(({ id }) => id === 'd3');
    const failed = before.errors.find(({ id }) => id === 'd3');
    expect(retried?.calls).toBeGreaterThan(failed?.calls ?? 0);
    expect(retried?.costUsd).toBeGreaterThan(failed?.costUsd ?? 0);
    expect(retried?.metadata).toEqual({ row: 3 });
    expect(after.manifest).toMatchObject({
      batch: 'night',
      documents: { total: 12, succeeded: 11, failed: 1 },
      retries: [{ batch: 'night.retry-1', documents: { total: 3, succeeded: 2, failed: 1 } }],
    });
    expect(after.manifest.costUsd).toBeGreaterThan(before.manifest.costUsd);

    const status = await workspace.run(['status', 'night', '--json']);
    expect(JSON.parse(status.stdout)).toMatchObject({
      state: 'completed',
      documents: { total: 12, done: 12, succeeded: 11, failed: 1 },
      spentUsd: after.manifest.costUsd,
      retries: ['night.retry-1'],
    });

    refusing();
    const third = await workspace.run(['retry', 'night', '--status', 'failed', '-o', 'out']);
    expect(third, third.stderr).toMatchObject({ code: 0 });
    const last = await workspace.readOutput('out');
    expect(last.results.map(({ id }) => id)).toEqual(IDS);
    expectBalanced(last, IDS);

    const nothing = await workspace.run(['retry', 'night', '--json']);
    expect(nothing).toMatchObject({ code: 2 });
    expect(JSON.parse(nothing.stdout)).toMatchObject({ error: { code: 'batch_state' } });
    expect(nothing.stderr).toContain('night has no error rows: there is nothing to ask again.');
  });

  it('asks only those that are named by code, and refuses what cannot be asked', async () => {
    await using workspace = await Workspace.make({
      'nightmill.yaml': configYaml({ url: model.url, redis: redis.url, cascade: '[{ model: small }]' }),
      'docs.jsonl': toJsonl(DOCUMENTS),
    });
    refusing(3);
    await workspace.run(['run', 'docs.jsonl', '-w', 'triage', '-o', 'out', '--id', 'night']);
    const other = await workspace.run(['retry', 'night', '--code', 'timeout']);
    expect(other).toMatchObject({ code: 2 });
    expect(other.stderr).toMatch(/night has no error rows with timeout; it has: 1 failed \w+\./);
    const status = await workspace.run(['retry', 'night', '--status', 'skipped']);
    expect(status).toMatchObject({ code: 2 });
    const unknown = await workspace.run(['retry', 'nothing']);
    expect(unknown.stderr).toContain('There is no batch "nothing" here.');
  });
});
