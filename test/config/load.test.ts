import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findWorkflow, workflowOf } from '../../config/config.ts';
import { BUILT_INS } from '../../config/defaults.ts';
import { hasBudget, loadConfig } from '../../config/load.ts';
import { servedModels } from '../../src/http/openai/served-models.ts';
import { queuesOf } from '../../src/workflows/model-workflow.ts';
import { labelsOf } from '../../src/workflows/workflow.ts';

let cwd: string;

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'config-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

/** The documented sample, word for word. */
const SAMPLE = `redis: redis://localhost:6379            # absent: embedded
store: s3://bucket/prefix                # absent: file:./.nightmill/store
s3: { endpoint: http://127.0.0.1:9000, region: us-east-1, forcePathStyle: true }   # for S3-compatible servers
providers:
  acme: { kind: openai, baseUrl: "http://127.0.0.1:7100/v1", apiKey: "$\{ACME_API_KEY:-none}",
          limits: { requestsPerMinute: 600, tokensPerMinute: 200000, concurrency: 64 } }
models:
  small: { provider: acme, id: small-2026-01-01, contextTokens: 32768, maxOutputTokens: 1024,
           price: { inputPerMillion: 0.15, cachedInputPerMillion: 0.075, outputPerMillion: 0.60 } }   # USD
  large: { provider: acme, id: large-2026-01-01, contextTokens: 128000, maxOutputTokens: 4096,
           price: { inputPerMillion: 2.50, outputPerMillion: 10.00 } }
workflows:
  triage:
    task: classify
    labels: { billing: "Questions about invoices", bug: "Something is broken", other: "Anything else" }
    examples: triage-examples.jsonl                           # optional, {text, label} lines for the local tier
    cascade: [{ model: local, acceptAt: 0.95 }, { model: small, acceptAt: 0.85 }, { model: large }]   # \`local\` is built in
    budget: { batch: 5.00, day: 20.00, month: 300.00 }       # USD
  nightly-summary:
    task: summarize
    summary: { maxWords: 120 }
    cascade: [{ model: small }, { model: large }]
    schedule: { cron: "0 1 * * *", timezone: Europe/Berlin, input: "s3://bucket/inbox/" }
budget: { day: 100.00 }                                      # all workflows together
`;

function load(yaml: string, env: Readonly<Record<string, string>> = {}) {
  writeFileSync(join(cwd, 'nightmill.yaml'), yaml);
  return loadConfig({ env, cwd });
}

describe('workflows that are built in', () => {
  it('stay usable beside a config, which may replace them; messages name both kinds', () => {
    const own = 'classify: { task: classify, labels: [red, blue], cascade: [{ model: local }] }';
    const config = load(`workflows: { ${own} }\n`);
    expect([...config.workflows.keys(), ...config.builtIns.keys()]).toEqual(['classify', 'summarize']);
    expect(labelsOf(workflowOf(config, 'classify').spec)).toEqual(['red', 'blue']);
    expect(findWorkflow(config, 'summarize')?.spec).toMatchObject({ task: 'summarize', summary: { maxWords: 120 } });
    expect(() => workflowOf(config, 'nope')).toThrow(
      /no workflow "nope" in .*; known: classify; built in: summarize\.$/,
    );
    expect(queuesOf(config)).toEqual(['classify', 'summarize']);
    expect([...servedModels(config).keys()]).toEqual(['classify', 'summarize']);
  });

  it('are all there is without a config', () => {
    const config = loadConfig({ env: {}, cwd });
    expect([...config.workflows.keys()]).toEqual(['summarize', 'classify']);
    expect(config.builtIns.size).toBe(0);
    expect(labelsOf(workflowOf(config, 'classify').spec)).toHaveLength(8);
    expect(BUILT_INS).toContain('labels business, technology');
  });
});

describe('loadConfig()', () => {
  it('reads the documented sample, money in nano-dollars and every default filled in', () => {
    writeFileSync(join(cwd, 'triage-examples.jsonl'), '{"text": "Pay me", "label": "billing"}\n\n');
    const config = load(SAMPLE, { ACME_API_KEY: 'secret' });
    expect(config).toMatchObject({
      file: join(cwd, 'nightmill.yaml'),
      redis: { url: 'redis://localhost:6379' },
      store: { url: 's3://bucket/prefix', endpoint: 'http://127.0.0.1:9000', forcePathStyle: true },
      budget: { day: 100_000_000_000 },
    });
    expect(config.providers.get('acme')).toMatchObject({ apiKey: 'secret', limits: { concurrency: 64 } });
    const triage = config.workflows.get('triage');
    expect(triage?.budget).toEqual({ batch: 5e9, day: 20e9, month: 300e9 });
    expect(triage?.spec.cascade.map(({ model, acceptAt }) => [model.name, acceptAt])).toEqual([
      ['local', 0.95],
      ['small', 0.85],
      ['large', undefined],
    ]);
    expect(triage?.spec.cascade[1]?.model.price).toMatchObject({ inputPerMillion: 150_000_000 });
    expect(triage?.spec).toMatchObject({ examples: [{ text: 'Pay me', label: 'billing' }] });
    expect(config.workflows.get('nightly-summary')?.schedule).toMatchObject({ timezone: 'Europe/Berlin' });
  });

  it('without a file has the two free workflows, an embedded Redis and a store in the working folder', () => {
    const config = loadConfig({ env: {}, cwd });
    expect([...config.workflows.keys()]).toEqual(['summarize', 'classify']);
    expect(config.redis).toBeUndefined();
    expect(config.store.url).toBe(`file:${join(cwd, '.nightmill/store')}`);
    const workflow = config.workflows.get('classify');
    expect(workflow === undefined ? undefined : hasBudget(config, workflow, undefined)).toBe(false);
  });

  it('takes the file of --config before NIGHTMILL_CONFIG before nightmill.yaml, paths relative to it', () => {
    const write = (name: string, prefix: string) =>
      writeFileSync(join(cwd, name), `redisPrefix: ${prefix}\nstore: file:./data\n`);
    write('nightmill.yaml', 'folder');
    write('env.yaml', 'env');
    write('flag.yaml', 'flag');
    const env = { NIGHTMILL_CONFIG: 'env.yaml' };
    expect(loadConfig({ env: {}, cwd }).redisPrefix).toBe('folder');
    expect(loadConfig({ env, cwd }).redisPrefix).toBe('env');
    expect(loadConfig({ env, cwd, file: 'flag.yaml' })).toMatchObject({
      redisPrefix: 'flag',
      store: { url: `file:${join(cwd, 'data')}` },
    });
    expect(() => loadConfig({ env: {}, cwd, file: 'gone.yaml' })).toThrow(/Cannot read the config file .*gone\.yaml/);
  });

  it('lists every problem of the shape with its path in one error', () => {
    const yaml = 'unknown: 1\nworker: { lockSeconds: 1 }\nmodels: { a: { provider: p } }\nbudget: { day: -3 }\n';
    expect(() => load(yaml)).toThrow(expect.objectContaining({ code: 'config_invalid', exitCode: 2 }));
    for (const path of [/unknown/, / - worker\.lockSeconds/, / - models\.a\.id/, / - budget\.day: Cannot read -3/]) {
      expect(() => load(yaml)).toThrow(path);
    }
  });

  it('names bad example lines with their numbers', () => {
    writeFileSync(
      join(cwd, 'triage-examples.jsonl'),
      '{"text": "a", "label": "bug"}\nnonsense\n{"text": "b", "label": "x"}\n',
    );
    expect(() => load(SAMPLE)).toThrow(/workflows\.triage\.examples: line 2 of .* is not/);
    expect(() => load(SAMPLE)).toThrow(/line 3 of .* has label "x"; known: billing, bug, other/);
  });

  it('refuses what would leave the models no room or steal the local model’s name', () => {
    const provider = 'providers: { p: { kind: openai, baseUrl: "http://x/v1" } }\n';
    const full = 'models: { a: { provider: p, id: a-2026-01-01, contextTokens: 100, maxOutputTokens: 100 } }';
    expect(() => load(provider + full)).toThrow(/models\.a\.maxOutputTokens: 100 leaves no room in contextTokens 100/);
    const stolen = 'models: { local: { provider: p, id: a-2026-01-01 } }';
    expect(() => load(provider + stolen)).toThrow(/models\.local: this name is taken/);
  });
});

describe('YAML that is well-formed and still no value', () => {
  const load = (yaml: string) => {
    writeFileSync(join(cwd, 'nightmill.yaml'), yaml);
    return () => loadConfig({ env: {}, cwd });
  };

  it('is a problem of the config, never a fault of the program', () => {
    const levels = ['a: &a [x,x,x,x,x,x,x,x,x]'];
    for (const [below = '', name = ''] of ['ab', 'bc', 'cd', 'de'])
      levels.push(`${name}: &${name} [${`*${below},`.repeat(9)}]`);
    expect(load(`${levels.join('\n')}\n`)).toThrow(
      expect.objectContaining({ code: 'config_invalid', message: expect.stringContaining('too many values') }),
    );
    expect(load('workflows: *nope\n')).toThrow(
      expect.objectContaining({ code: 'config_invalid', message: expect.stringContaining('nope') }),
    );
    expect(load('a: &a { b: *a }\n')).toThrow(
      expect.objectContaining({ code: 'config_invalid', message: expect.stringContaining('alias of itself') }),
    );
    expect(load('a: 1\n---\nb: 2\n')).toThrow(
      expect.objectContaining({ code: 'config_invalid', message: expect.stringContaining('several YAML documents') }),
    );
  });
});
