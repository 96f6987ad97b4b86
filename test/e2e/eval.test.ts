import { describe, expect, it } from 'vitest';
import { configYaml, toJsonl, Workspace } from '../helpers/workspace.ts';
import { modelAndRedis } from './model-and-redis.ts';

const { model, redis } = await modelAndRedis();

const GOLDEN = Array.from({ length: 8 }, (_, index) => ({
  id: `d${index}`,
  text: `Ticket ${index}: the invoice is wrong.`,
  label: 'billing',
}));

describe('nightmill eval', () => {
  it('scores a golden set, pays for it once, and ends with 1 where a later run is worse', async () => {
    const answer = (label: string) => () => ({ content: JSON.stringify({ label, confidence: 0.9 }) });
    model.answer = answer('billing');
    const config = { url: model.url, cascade: '[{ model: small }]' };
    await using workspace = await Workspace.make({
      'nightmill.yaml': configYaml(config),
      'golden.jsonl': toJsonl(GOLDEN),
    });
    const args = ['eval', '-w', 'triage', '--golden', 'golden.jsonl', '--json'];
    const first = await workspace.run([...args, '-o', 'report']);
    expect(first, first.stderr).toMatchObject({ code: 0 });
    const good = JSON.parse(first.stdout);
    expect(good).toMatchObject({ documents: 8, metrics: { accuracy: 1, macroF1: 1, validity: 1 } });
    const again = JSON.parse((await workspace.run(args)).stdout);
    expect(again.run).toBe(good.run);
    model.answer = answer('bug');
    const worse = await workspace.run([...args, '--id', 'second', '--baseline', good.run]);
    expect(worse, worse.stderr).toMatchObject({ code: 1 });
    expect(JSON.parse(worse.stdout).comparison).toMatchObject({ isRegression: true, documents: 8 });
    const asked = [
      '--volume',
      '40000/day',
      '--hours',
      '16',
      '--rate',
      '90',
      '--gpu-month',
      '1460',
      '--gpu-tokens',
      '500',
    ];
    const compared = JSON.parse((await workspace.run(['compare', good.run, 'second', ...asked, '--json'])).stdout);
    expect(compared.worth).toMatchObject({
      now: good.run,
      documentsPerMonth: 1_200_000,
      workUsd: 1_440,
      changes: [{ run: 'second', after: [{ months: 6 }, { months: 12 }] }],
      selfHosting: { gpus: 1 },
    });
    expect(compared.runs.map(({ run }: { run: string }) => run)).toEqual([good.run, 'second']);
    expect(compared.disagreements).toHaveLength(8);
    const unknown = await workspace.run([...args, '--baseline', 'nothing']);
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('no evaluation "nothing"') });
  }, 120_000);

  it('choose names the cheapest candidate that surely meets the requirements, under one budget', async () => {
    model.answer = ({ body }) => ({
      content: JSON.stringify({ label: body.model === 'small-2026-01-01' ? 'bug' : 'billing', confidence: 0.9 }),
    });
    const requirements = 'requirements: { minQuality: { metric: accuracy, value: 0.5 } }';
    await using workspace = await Workspace.make({
      'nightmill.yaml': configYaml({ url: model.url, redis: redis.url, workflow: requirements }),
      'golden.jsonl': toJsonl(GOLDEN),
    });
    const args = ['choose', '-w', 'triage', '--golden', 'golden.jsonl', '--budget', '1', '--candidates'];
    const finished = await workspace.run([...args, 'small,large,small@0.95>large', '--json']);
    expect(finished, finished.stderr).toMatchObject({ code: 0 });
    expect(JSON.parse(finished.stdout)).toMatchObject({
      chosen: 'large',
      documents: 8,
      candidates: [
        { name: 'small', verdicts: [{ requirement: 'minQuality', state: 'unmet' }] },
        { name: 'large', verdicts: [{ requirement: 'minQuality', state: 'met' }] },
        {
          name: 'small@0.95>large',
          cascade: [{ model: 'small', acceptAt: 0.95 }, { model: 'large' }],
          verdicts: [{ requirement: 'minQuality', state: 'met' }],
        },
      ],
    });
    // A cascade costs what all its tiers cost, and what is tried is no change of the workflow.
    const { candidates } = JSON.parse(finished.stdout) as { candidates: { run: string }[] };
    const compared = await workspace.json<{ runs: { cascade: string; costUsd: number }[] }>([
      'compare',
      ...candidates.map(({ run }) => run),
    ]);
    const cost = Object.fromEntries(compared.runs.map(({ cascade, costUsd }) => [cascade, costUsd]));
    expect(cost['small@0.95>large']).toBeCloseTo((cost['small'] ?? 0) + (cost['large'] ?? 0), 6);
    expect(await workspace.json(['changes'])).toEqual({ changes: [] });
    const none = await workspace.run([...args, 'small']);
    expect(none).toMatchObject({ code: 1, stdout: expect.stringContaining('minQuality excludes every candidate') });
  }, 120_000);
});
