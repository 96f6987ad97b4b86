import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import { configHash } from '../../src/worker/config-hash.ts';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'config-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

const PROVIDERS = `providers: { one: { kind: openai, baseUrl: "http://one/v1", apiKey: "\${KEY}" } }`;
const MODELS = 'models: { a: { provider: one, id: a-2026-01-01, price: { inputPerMillion: 1, outputPerMillion: 2 } } }';
const WORKFLOWS = 'workflows: { w: { task: summarize, cascade: [{ model: a }], budget: { day: 5 } } }';

function hashOf(lines: readonly string[], key = 'secret'): string {
  writeFileSync(join(cwd, 'nightmill.yaml'), lines.join('\n'));
  return configHash(loadConfig({ env: { KEY: key }, cwd }));
}

test('configs are equal by what they say, whatever their order, their secrets and the machine', () => {
  const hash = hashOf([PROVIDERS, MODELS, WORKFLOWS]);
  expect(hash).toMatch(/^[0-9a-f]{12}$/);
  expect(hashOf(['# a comment', WORKFLOWS, 'worker: { slices: 9 }', MODELS, PROVIDERS], 'another')).toBe(hash);
});

test('another price, limit, model, endpoint or workflow is another config', () => {
  const hashes = [
    [PROVIDERS, MODELS, WORKFLOWS],
    [PROVIDERS, MODELS.replace('outputPerMillion: 2', 'outputPerMillion: 3'), WORKFLOWS],
    [PROVIDERS, MODELS, WORKFLOWS.replace('day: 5', 'day: 50')],
    [PROVIDERS, MODELS.replace('a-2026', 'b-2026'), WORKFLOWS],
    [PROVIDERS.replace('http://one', 'http://two'), MODELS, WORKFLOWS],
    [PROVIDERS, MODELS, WORKFLOWS.replace('{ w:', '{ v:')],
  ].map((lines) => hashOf(lines));
  expect(new Set(hashes).size).toBe(hashes.length);
});
