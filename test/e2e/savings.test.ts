import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { usdToNano } from '../../src/money/money.ts';
import { goodAnswer } from '../helpers/http-model.ts';
import { configYaml, expectBalanced, makeDocuments, toJsonl, Workspace } from '../helpers/workspace.ts';
import { modelAndRedis } from './model-and-redis.ts';

const { model, redis } = await modelAndRedis();

const RUN = ['run', 'docs.jsonl', '-w', 'triage', '-o'];
/** Longer than two rounds of housekeeping, which looks at the limits. */
const HOUSEKEEPING_MS = 2_500;

interface ReusedJson {
  readonly duplicates: number;
  readonly cachedCalls: number;
  readonly savedUsd: number;
}

function reusedOf(manifest: { readonly cost: object }): ReusedJson {
  return (manifest.cost as { readonly reused: ReusedJson }).reused;
}

describe('saving money', () => {
  it('equal documents of a batch are asked once, in whatever slice they stand', async () => {
    const documents = Array.from({ length: 40 }, (_, index) => ({ id: `d${index}`, text: `The text ${index % 5}` }));
    await using workspace = await Workspace.make({
      'nightmill.yaml': configYaml({ url: model.url, redis: redis.url, slice: 8 }),
      'docs.jsonl': toJsonl(documents),
    });
    const finished = await workspace.run([...RUN, 'out']);
    expect(finished, finished.stderr).toMatchObject({ code: 0 });
    expect(model.calls).toHaveLength(5);
    const output = await workspace.readOutput('out');
    expectBalanced(
      output,
      documents.map(({ id }) => id),
    );
    for (const [index, row] of output.results.entries()) {
      expect(row.result).toEqual(output.results[index % 5]?.result);
      expect(row.calls).toBe(index < 5 ? 1 : 0);
    }
    const { duplicates, savedUsd } = reusedOf(output.manifest);
    expect(duplicates).toBe(35);
    expect(usdToNano(savedUsd)).toBe(usdToNano(output.manifest.costUsd) * 7);
  });

  it('cache: true answers another batch from replies that are paid for, and says what that saved', async () => {
    await using workspace = await Workspace.make({
      'nightmill.yaml': configYaml({ url: model.url, redis: redis.url, workflow: 'cache: true' }),
      'docs.jsonl': toJsonl(makeDocuments(20)),
    });
    for (const id of ['first', 'second']) {
      const finished = await workspace.run([...RUN, id, '--id', `${id}-${process.pid}`]);
      expect(finished, finished.stderr).toMatchObject({ code: 0 });
      expect(model.calls).toHaveLength(20);
    }
    const [first, second] = [await workspace.readOutput('first'), await workspace.readOutput('second')];
    expect(second.results.map((row) => row.result)).toEqual(first.results.map((row) => row.result));
    expect(second.manifest.costUsd).toBe(0);
    expect(reusedOf(second.manifest)).toEqual({ duplicates: 0, cachedCalls: 20, savedUsd: first.manifest.costUsd });
  });

  it('drainAt stops asking the last tier near a limit, and the rows say so', async () => {
    await using workspace = await Workspace.make({
      'nightmill.yaml': configYaml({
        url: model.url,
        redis: redis.url,
        slice: 20,
        cascade: '[{ model: small, acceptAt: 0.99 }, { model: large }]',
        workflow: 'drainAt: 0.0001\n    budget: { batch: 5 }',
      }),
      'docs.jsonl': toJsonl(makeDocuments(60)),
    });
    model.holdAfter(40);
    const run = workspace.start([...RUN, 'out']);
    await model.until((served) => served.count('answered') >= 40);
    await delay(HOUSEKEEPING_MS);
    model.release();
    expect(await run.exited).toMatchObject({ code: 0 });
    const output = await workspace.readOutput('out');
    expectBalanced(
      output,
      makeDocuments(60).map(({ id }) => id),
    );
    const degraded = output.results.filter((row) => (row as { degraded?: boolean }).degraded === true);
    expect(degraded.length).toBeGreaterThan(20);
    expect(degraded.length).toBeLessThan(60);
    for (const row of degraded) expect(row).toMatchObject({ tier: 0, model: 'small' });
    for (const row of output.results)
      if (!degraded.includes(row)) expect(row).toMatchObject({ tier: 1, model: 'large' });
  });
});

describe('a file that grows', () => {
  const DOCUMENTS = 400;
  const documents = Array.from({ length: DOCUMENTS }, (_, index) => ({
    id: `d${index}`,
    text: `Ticket ${index}: it fails`,
    metadata: { row: index },
  }));
  const changed = documents.map((document) =>
    document.id === 'd7' ? { ...document, text: 'It works again' } : document,
  );
  const yaml = () => configYaml({ url: model.url, redis: redis.url, slice: 50, concurrency: 32 });

  it('with --new-only one changed line of 400 pays for one, and every document has its row', async () => {
    await using workspace = await Workspace.make({
      'nightmill.yaml': yaml(),
      'docs.jsonl': toJsonl(documents),
      'changed.jsonl': toJsonl(changed),
    });
    const first = await workspace.run([...RUN, 'first']);
    expect(first, first.stderr).toMatchObject({ code: 0 });
    expect(first.stderr).not.toContain('answered before');
    expect(model.calls).toHaveLength(DOCUMENTS);

    const plan = await workspace.run(['plan', 'changed.jsonl', '-w', 'triage']);
    expect(plan.stdout).toMatch(/answered +399 before by this workflow, about \$0\.\d+: with --new-only they would/);
    const planned = await workspace.json<{ calls: { low: number }; answeredBefore: { documents: number } }>([
      ...['plan', 'changed.jsonl', '-w', 'triage', '--new-only'],
    ]);
    expect(planned).toMatchObject({
      documents: DOCUMENTS,
      calls: { low: 1 },
      answeredBefore: { documents: DOCUMENTS - 1 },
    });

    const second = await workspace.run(['run', 'changed.jsonl', '-w', 'triage', '--new-only', '-o', 'second']);
    expect(second, second.stderr).toMatchObject({ code: 0 });
    expect(second.stderr).toMatch(/399 of 400 documents were answered before by this workflow; they take those/);
    expect(model.calls).toHaveLength(DOCUMENTS + 1);
    const [before, after] = [await workspace.readOutput('first'), await workspace.readOutput('second')];
    expectBalanced(
      after,
      documents.map(({ id }) => id),
    );
    for (const [index, row] of after.results.entries()) {
      const old = before.results[index];
      expect(row).toMatchObject({ id: `d${index}`, metadata: { row: index } });
      if (index === 7) expect(row).toMatchObject({ calls: 1 });
      else expect(row).toMatchObject({ result: old?.result, calls: 0, costUsd: 0, answeredIn: before.manifest.batch });
    }
    expect(reusedOf(after.manifest)).toMatchObject({ duplicates: 0, cachedCalls: 0, earlierDocuments: DOCUMENTS - 1 });
    expect(after.manifest.costUsd).toBe(after.results[7]?.costUsd);
  });

  it('submit says what was answered before and asks all again; a row that failed is never taken over', async () => {
    const few = documents.slice(0, 20);
    await using workspace = await Workspace.make({
      'nightmill.yaml': yaml(),
      'docs.jsonl': toJsonl(few),
    });
    model.answer = (call) =>
      call.document.includes('Ticket 3:') ? { content: 'no', finish: 'content_filter' } : goodAnswer(call);
    const first = await workspace.run([...RUN, 'first']);
    expect(first, first.stderr).toMatchObject({ code: 4 });
    const asked = model.calls.length;
    model.answer = goodAnswer;
    const submitted = await workspace.run(['run', 'docs.jsonl', '-w', 'triage', '--id', 'again', '-o', 'again']);
    expect(submitted, submitted.stderr).toMatchObject({ code: 0 });
    expect(submitted.stderr).toMatch(
      /19 of 20 documents were answered before .* all are asked again\. --new-only would/,
    );
    expect(model.calls).toHaveLength(asked + 20);
  });
});
