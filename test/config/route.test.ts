import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import { workflowHash } from '../../src/batches/workflow-hash.ts';
import type { WorkflowSpec } from '../../src/workflows/workflow.ts';
import { makeTemporaryFolder } from '../helpers/temporary-folder.ts';

async function load(route: string, more = '', { acceptAt = '0.8' } = {}): Promise<WorkflowSpec> {
  await using folder = await makeTemporaryFolder();
  const file = join(folder.path, 'nightmill.yaml');
  writeFileSync(
    join(folder.path, 'kinds.jsonl'),
    '{"text": "long", "label": "hard"}\n{"text": "hi", "label": "plain"}\n',
  );
  writeFileSync(
    file,
    `
providers: { acme: { kind: openai, baseUrl: "http://127.0.0.1:7111/v1", apiKey: k } }
models:
  tiny: { provider: acme, id: tiny-2026-01-01 }
  small: { provider: acme, id: small-2026-01-01 }
  middle: { provider: acme, id: middle-2026-01-01 }
  large: { provider: acme, id: large-2026-01-01 }
workflows:
  triage:
    task: classify
    labels: [a, b]
    cascade: [{ model: small, acceptAt: ${acceptAt} }, { model: middle, acceptAt: ${acceptAt} }, { model: large }]
    ${route === '' ? '' : `route: ${route}`}
    ${more}
`,
  );
  const { workflows } = loadConfig({ file, env: {}, cwd: '/' });
  return workflows.get('triage')?.spec as WorkflowSpec;
}

describe('route', () => {
  it('by rules has its conditions as lists, languages as codes and patterns read', async () => {
    const rules = `[{ tokens: { above: 2000 }, language: German, metadata: { plan: gold }, has: ["/inv-\\\\d{4}/i", refund], start: large }]`;
    expect((await load(`{ by: rules, rules: ${rules}, otherwise: middle }`)).route).toEqual({
      by: 'rules',
      rules: [
        {
          tokens: { above: 2000 },
          languages: ['de'],
          metadata: { plan: ['gold'] },
          has: [
            { kind: 'pattern', pattern: 'inv-\\d{4}', flags: 'i' },
            { kind: 'phrase', phrase: 'refund' },
          ],
          start: 'large',
        },
      ],
      otherwise: 'middle',
    });
  });

  it('by local or model has kinds with a tier each', async () => {
    const kinds = 'labels: { plain: short, hard: long }, start: { hard: large }';
    expect((await load(`{ by: model, model: tiny, ${kinds}, acceptAt: 0.7 }`)).route).toMatchObject({
      by: 'model',
      tier: { model: { name: 'tiny' } },
      kinds: { labels: [{ label: 'plain', description: 'short' }, { label: 'hard' }], examples: [] },
      start: { hard: 'large' },
      acceptAt: 0.7,
    });
    expect((await load(`{ by: local, ${kinds}, examples: kinds.jsonl }`)).route).toMatchObject({
      tier: { model: { name: 'local' } },
      kinds: { examples: [{ label: 'hard' }, { label: 'plain' }] },
    });
  });

  it('is part of what a workflow is', async () => {
    const hashes = await Promise.all(
      [
        '',
        '{ by: rules, rules: [{ tokens: { above: 9 }, start: large }] }',
        '{ by: rules, rules: [{ tokens: { above: 8 }, start: large }] }',
      ].map(async (route) => workflowHash(await load(route))),
    );
    expect(new Set(hashes).size).toBe(3);
  });

  it.each([
    ['{ by: rules }', /route\.rules: a route by rules needs it/],
    ['{ by: rules, rules: [{ start: large }] }', /route\.rules\.0: holds for every document/],
    [
      '{ by: rules, rules: [{ has: "/a+b/", start: large }] }',
      /route\.rules\.0\.has\.0: "\/a\+b\/" has "\+", which repeats without end/,
    ],
    ['{ by: rules, rules: [{ language: Klingon, start: large }] }', /rules\.0\.language: "Klingon" is no language/],
    [
      '{ by: rules, rules: [{ tokens: { above: 9 }, start: huge }] }',
      /rules\.0\.start: no tier of the cascade has the model "huge"/,
    ],
    ['{ by: rules, rules: [{ tokens: {}, start: large }] }', /needs above, atMost or both/],
    [
      '{ by: rules, acceptAt: 0.5, rules: [{ tokens: { above: 9 }, start: large }] }',
      /route\.acceptAt: a route by rules has none/,
    ],
    ['{ by: model, model: tiny, labels: [plain, hard] }', /route\.start: a route by model needs it/],
    ['{ by: model, labels: [plain, hard], start: { hard: large } }', /route\.model: name a model of models/],
    ['{ by: model, model: tiny, labels: [plain], start: { plain: large } }', /route\.labels: .*at least two labels/],
    [
      '{ by: model, model: tiny, labels: [plain, hard], start: { odd: large } }',
      /route\.start\.odd: is none of the kinds/,
    ],
  ])('%s is refused', async (route, problem) => {
    await expect(load(route)).rejects.toThrow(problem);
  });

  it('of a private workflow asks nobody else, and of a tenant’s cascade names its tiers', async () => {
    const byModel = '{ by: model, model: tiny, labels: [plain, hard], start: { hard: large } }';
    await expect(load(byModel, 'private: true')).rejects.toThrow(
      /route\.model: the workflow is private, and model tiny/,
    );
    const tenants = 'tenants: { acme: { cascade: [{ model: small }] } }';
    await expect(load(byModel, tenants)).rejects.toThrow(/tenants\.acme\.route\.start\.hard: no tier of the cascade/);
  });

  it('sends nothing between the tiers of a calibrated cascade', async () => {
    const route = (start: string) => `{ by: rules, rules: [{ tokens: { above: 9 }, start: ${start} }] }`;
    const calibrated = { acceptAt: 'calibrated' };
    await expect(load(route('middle'), '', calibrated)).rejects.toThrow(
      /say nothing of documents that begin at middle/,
    );
    await expect(load(route('large'), '', calibrated)).resolves.toMatchObject({ route: { by: 'rules' } });
  });
});
