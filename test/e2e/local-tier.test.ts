import { describe, expect, it } from 'vitest';
import { configYaml, expectBalanced, toJsonl, Workspace } from '../helpers/workspace.ts';
import { modelAndRedis } from './model-and-redis.ts';

const { model, redis } = await modelAndRedis();

const DOCUMENTS = Array.from({ length: 6 }, (_, index) => ({
  id: `d${index}`,
  text: `Ticket ${index}: the invoice is wrong and the page fails to open.`,
}));

async function runWith(cascade: string, workflow = 'triage') {
  await using workspace = await Workspace.make({
    'nightmill.yaml': configYaml({ url: model.url, redis: redis.url, cascade }),
    'docs.jsonl': toJsonl(DOCUMENTS),
  });
  const finished = await workspace.run(['run', 'docs.jsonl', '-w', workflow, '-o', 'out']);
  const output = await workspace.readOutput('out');
  expectBalanced(
    output,
    DOCUMENTS.map(({ id }) => id),
  );
  const cost = output.manifest.cost as unknown as {
    byModel: { model: string; tier: number; calls: number; accepted: number }[];
  };
  return { finished, output, byModel: cost.byModel };
}

describe('the local model in a cascade', () => {
  it('answers after a paid tier that is not sure enough', async () => {
    const { finished, output, byModel } = await runWith('[{ model: small, acceptAt: 0.999 }, { model: local }]');
    expect(finished, finished.stderr).toMatchObject({ code: 0 });
    expect(output.results.map(({ model: by, tier, calls }) => ({ by, tier, calls }))).toEqual(
      DOCUMENTS.map(() => ({ by: 'local', tier: 1, calls: expect.any(Number) })),
    );
    expect(output.results.every(({ costUsd }) => costUsd > 0)).toBe(true);
    expect(byModel.find(({ model: name }) => name === 'local')).toMatchObject({ tier: 1, calls: 6, accepted: 6 });
  });

  it('answers after a paid tier whose replies are of no use', async () => {
    model.answer = () => ({ content: 'no idea' });
    const { finished, output } = await runWith('[{ model: small }, { model: local }]');
    expect(finished, finished.stderr).toMatchObject({ code: 0 });
    expect(output.results.map(({ model: by }) => by)).toEqual(DOCUMENTS.map(() => 'local'));
  });

  it('can stand at both ends of a cascade', async () => {
    const { finished, output, byModel } = await runWith(
      '[{ model: local, acceptAt: 1 }, { model: small, acceptAt: 0.999 }, { model: local }]',
    );
    expect(finished, finished.stderr).toMatchObject({ code: 0 });
    expect(output.results.map(({ tier }) => tier)).toEqual(DOCUMENTS.map(() => 2));
    expect(byModel.map(({ model: name, tier, calls }) => ({ name, tier, calls }))).toEqual([
      { name: 'local', tier: 0, calls: 6 },
      { name: 'small', tier: 1, calls: 6 },
      { name: 'local', tier: 2, calls: 6 },
    ]);
  });

  it('is planned as what it is: after a paid tier the paid one is always asked', async () => {
    await using workspace = await Workspace.make({
      'nightmill.yaml': configYaml({
        url: model.url,
        redis: redis.url,
        cascade: '[{ model: small, acceptAt: 0.999 }, { model: local }]',
      }),
      'docs.jsonl': toJsonl(DOCUMENTS),
    });
    const plan = await workspace.run(['plan', 'docs.jsonl', '-w', 'triage', '--json']);
    const { calls, costUsd } = JSON.parse(plan.stdout);
    expect(calls.low).toBe(6);
    expect(costUsd.low).toBeGreaterThan(0);
  });
});
