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

  it('a tenant gets the cascade and the limit that it pays for, in rows, manifest and report', async () => {
    model.answer = (call) =>
      call.body.model === 'small-2026-01-01' ? { content: '{"label": "other", "confidence": 0.2}' } : goodAnswer(call);
    await using workspace = await Workspace.make({
      'nightmill.yaml': configYaml({
        url: model.url,
        redis: redis.url,
        cascade: '[{ model: small, acceptAt: 0.8 }, { model: large }]',
        workflow:
          'plans: { cheap: { cascade: [{ model: small }], budget: { batch: 0.5 }, priority: 2 } }\n    tenants: { free: { plan: cheap }, gold: {} }',
      }),
      'docs.jsonl': toJsonl(makeDocuments(4)),
    });
    const ids = makeDocuments(4).map(({ id }) => id);
    const costs: Record<string, number> = {};
    for (const [tenant, asked] of [
      ['free', ['small-2026-01-01']],
      ['gold', ['small-2026-01-01', 'large-2026-01-01']],
    ] as const) {
      const before = model.calls.length;
      const finished = await workspace.run([...RUN, tenant, '--tenant', tenant]);
      expect(finished, finished.stderr).toMatchObject({ code: 0 });
      const calls = model.calls.slice(before);
      expect(new Set(calls.map(({ body }) => body.model))).toEqual(new Set(asked));
      const output = await workspace.readOutput(tenant);
      expectBalanced(output, ids);
      expect(new Set(output.results.map((row) => row.model))).toEqual(new Set([tenant === 'free' ? 'small' : 'large']));
      expect(usdToNano(output.manifest.costUsd)).toBe(calls.reduce((sum, { costNano }) => sum + costNano, 0));
      expect(output.manifest).toMatchObject(
        tenant === 'free'
          ? { tenant, plan: 'cheap', priority: 2, limitsUsd: { [`batch:${output.manifest.batch}`]: 0.5 } }
          : { tenant, plan: 'gold', priority: 0 },
      );
      costs[tenant] = output.manifest.costUsd;
    }
    const report = await workspace.json<{ readonly lines: readonly { name: string; costUsd: number }[] }>([
      'report',
      '--by',
      'tenant',
    ]);
    expect(Object.fromEntries(report.lines.map(({ name, costUsd }) => [name, costUsd]))).toEqual(costs);
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
    expect(reusedOf(second.manifest)).toMatchObject({
      duplicates: 0,
      cachedCalls: 20,
      savedUsd: first.manifest.costUsd,
    });
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
    const run = workspace.run([...RUN, 'out']);
    await model.until((served) => served.count('answered') >= 40);
    await delay(HOUSEKEEPING_MS);
    model.release();
    expect(await run).toMatchObject({ code: 0 });
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
  it('with --new-only one changed line pays for one; without, it says what was answered before', async () => {
    const documents = makeDocuments(40);
    const changed = documents.map((each) => (each.id === 'doc-7' ? { ...each, text: 'It works again' } : each));
    await using workspace = await Workspace.make({
      'nightmill.yaml': configYaml({ url: model.url, redis: redis.url }),
      'docs.jsonl': toJsonl(documents),
      'changed.jsonl': toJsonl(changed),
    });
    model.answer = (call) =>
      call.document.includes('Ticket 3:') ? { content: 'no', finish: 'content_filter' } : goodAnswer(call);
    const first = await workspace.run([...RUN, 'first']);
    expect(first, first.stderr).toMatchObject({ code: 4 });
    expect(first.stderr).not.toContain('answered before');
    const asked = model.calls.length;

    const plan = await workspace.run(['plan', 'changed.jsonl', '-w', 'triage']);
    expect(plan.stdout).toMatch(/answered +38 before by this workflow, about \$0\.\d+: with --new-only they would/);
    model.answer = goodAnswer;
    const second = await workspace.run(['run', 'changed.jsonl', '-w', 'triage', '--new-only', '-o', 'second']);
    expect(second, second.stderr).toMatchObject({ code: 0 });
    expect(second.stderr).toMatch(/38 of 40 documents were answered before by this workflow; they take those/);
    // The changed one, and the one that failed.
    expect(model.calls).toHaveLength(asked + 2);
    const [before, after] = [await workspace.readOutput('first'), await workspace.readOutput('second')];
    expectBalanced(
      after,
      documents.map(({ id }) => id),
    );
    expect(after.results[5]).toMatchObject({
      id: 'doc-5',
      metadata: { row: 5 },
      result: before.results[4]?.result,
      calls: 0,
      costUsd: 0,
      answeredIn: before.manifest.batch,
    });
    expect(reusedOf(after.manifest)).toMatchObject({ duplicates: 0, cachedCalls: 0, earlierDocuments: 38 });
  }, 300_000);
});
