import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { digestJson } from '../src/digests/digest.ts';
import { formatManifest, MANIFEST_SCHEMA_VERSION, type Manifest } from '../src/finalize/manifest.ts';
import { readManifest } from '../src/finalize/read-manifest.ts';
import { TASK_NAMES } from '../src/tasks/tasks.ts';
import { parseJsonExactly } from '../src/text/json-value.ts';

const SHA256 = 'a'.repeat(64);
const USAGE = { inputTokens: 10, cachedInputTokens: 2, outputTokens: 3, reasoningTokens: 1 };

const NIGHT = {
  batch: 'a',
  finishedAt: '2026-01-01T00:01:00.000Z',
  documents: 3,
  failed: 1,
  escalated: 1,
  cost: 15,
  labels: { bug: 2 },
};

/** Small amounts are read as the text that they are. */
const asRead = (digest: Parameters<typeof digestJson>[0]) =>
  parseJsonExactly(JSON.stringify(digestJson(digest))) as object;

/** Every optional part is there. */
const MANIFEST: Manifest = {
  batchId: 'b',
  state: 'completed',
  workflow: 'w',
  task: 'classify',
  tenant: 't',
  createdAt: '2026-01-01T00:00:00.000Z',
  finishedAt: '2026-01-01T00:01:00.000Z',
  inputs: ['docs.jsonl'],
  documents: { total: 3, succeeded: 2, failed: 1, cancelled: 0, expired: 0, skipped: 0 },
  results: [{ key: 'batches/b/output/part-000000.jsonl.gz', bytes: 9, sha256: SHA256, lines: 2 }],
  errors: [{ key: 'batches/b/errors/part-000000.jsonl.gz', bytes: 8, sha256: SHA256, lines: 1 }],
  usage: USAGE,
  models: [
    {
      model: 'small',
      provider: 'acme',
      tier: 0,
      calls: 3,
      accepted: 2,
      usage: USAGE,
      cost: 15,
      latency: { calls: 3, ms: 900, outputTokens: 3, sketch: 'AAM', firstByte: { calls: 2, sketch: '~AAQ' } },
    },
  ],
  digest: {
    by: 'label',
    maxWords: 200,
    ...asRead({
      workflow: 'w',
      summary: 'Much is broken.',
      kind: 'extract',
      withoutText: { code: 'budget_reached', message: 'No room.' },
      groups: [{ label: 'bug', documents: 2, summary: 'Broken.' }],
      read: { documents: 2, of: 2 },
      spending: {
        byModel: [{ model: 'small', calls: 1, usage: USAGE, cost: 7, uncertainCalls: 0, uncertainCost: 0 }],
        models: ['small'],
      },
      night: NIGHT,
      reasons: { low_confidence: 1 },
      failures: [{ id: 'd3', code: 'timeout', cost: 3 }],
      before: NIGHT,
    }),
    files: [{ key: 'batches/b/output/digest.md', bytes: 9, sha256: SHA256 }],
  },
  program: '0.1.0',
  submittedBy: 'ada',
  priority: 1,
  pausedSeconds: 1.5,
  labels: { bug: 2 },
  limits: { 'batch:b': 5_000_000_000 },
  cascade: [
    {
      tier: 0,
      model: 'small',
      provider: 'acme',
      id: 'small-1',
      fallback: true,
      acceptAt: 0.9,
      price: {
        inputPerMillion: 150_000_000,
        cachedInputPerMillion: 75_000_000,
        outputPerMillion: 600_000_000,
        longContext: [
          { aboveInputTokens: 9, inputPerMillion: 3e8, cachedInputPerMillion: 15e7, outputPerMillion: 12e8 },
        ],
        paidPerMille: 500,
      },
      priceFrom: { source: 'catalogue', asOf: '2026-01-01' },
      learned: {
        maxTokensField: 'max_completion_tokens',
        structuredOutput: 'prompt',
        temperature: false,
        logprobs: false,
      },
    },
  ],
  served: [{ model: 'small', id: 'small-1', fingerprint: 'fp_1', calls: 3 }],
  warnings: ['model_changed: small'],
  callRetries: { timeout: 2 },
  dearest: [{ id: 'a', cost: 9 }],
  instructionsShare: 0.94,
  escalations: { low_confidence: { count: 1, cost: 2 } },
  rejections: { invalid_json: { count: 1, cost: 4 } },
  redactions: { email: 2 },
  cost: 15,
  uncertain: [
    {
      callId: 'c',
      model: 'small',
      slice: 0,
      document: 'a',
      at: '2026-01-01T00:00:20.000Z',
      requestId: 'r-1',
      cost: 7,
      reason: 'timeout',
    },
  ],
  uncertainCost: 7,
  power: [
    { provider: 'gpu', ms: 90_500, cost: 30_000_000 },
    { provider: 'old', ms: 60_000 },
  ],
  reused: { duplicates: 1, cached: 2, earlier: 1, saved: 3 },
  strongest: { model: 'large', cost: 30, basis: 'its calls' },
  hashes: { content: SHA256, config: SHA256, prompt: SHA256, models: SHA256 },
  promptVersion: 'classify-v1',
  breaker: [{ at: '2026-01-01T00:00:30.000Z', event: 'opened', scope: 'batch:b', reason: 'limit' }],
};

const published = JSON.parse(readFileSync(new URL('../docs/manifest.schema.json', import.meta.url), 'utf8'));
const schema = z.fromJSONSchema(published);

test('docs/manifest.schema.json names every task', () => {
  expect(published.properties.task.enum).toEqual(TASK_NAMES);
});

test('docs/manifest.schema.json accepts a manifest with every part, and has its version', () => {
  expect(schema.safeParse(JSON.parse(formatManifest(MANIFEST))).error).toBeUndefined();
  expect(published.properties.schemaVersion.const).toBe(MANIFEST_SCHEMA_VERSION);
});

test('a manifest is read as it was written', () => {
  expect(readManifest(formatManifest(MANIFEST), (key) => key.includes('/output/'))).toEqual(MANIFEST);
});

test('docs/manifest.schema.json refuses a field that it does not describe, and a missing one', () => {
  const manifest = JSON.parse(formatManifest(MANIFEST));
  expect(schema.safeParse({ ...manifest, surprise: 1 }).success).toBe(false);
  const { costUsd: _, ...rest } = manifest;
  expect(schema.safeParse(rest).success).toBe(false);
});
