import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import { workflowHash } from '../../src/batches/workflow-hash.ts';
import { buildModelRequest, callKey } from '../../src/requests/model-request.ts';

let cwd: string;

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'config-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

/** A config of one model of OpenAI's, with what is written at its provider and at itself. */
function load(atProvider: string, atModel: string) {
  writeFileSync(
    join(cwd, 'nightmill.yaml'),
    `providers: { p: { preset: openai${atProvider} } }
models: { m: { provider: p, id: gpt-4.1-mini-2025-04-14${atModel} } }
workflows: { w: { task: summarize, cascade: [{ model: m }] } }\n`,
  );
  const config = loadConfig({ env: {}, cwd });
  const model = config.models.get('m');
  const workflow = config.workflows.get('w');
  if (model === undefined || workflow === undefined) throw new RangeError('The config has lost its model');
  return { model, hash: workflowHash(workflow.spec) };
}

const PROMPT = {
  messages: [{ role: 'user' as const, content: 'hello' }],
  outputTokens: 10,
  responseSchema: { name: 's', schema: {} },
};

describe('request fields', () => {
  it('of the provider go with each of its models, and those of the model win', () => {
    const { model } = load(
      ', request: { prompt_cache_key: night, metadata: { team: a } }',
      ', request: { metadata: { team: b } }',
    );
    expect(model.request).toEqual({ prompt_cache_key: 'night', metadata: { team: 'b' } });
    expect(load('', '').model).not.toHaveProperty('request');
  });

  it('are part of what a workflow and a call are', () => {
    const plain = load('', '');
    const keyed = load('', ', request: { prompt_cache_key: night }');
    expect(keyed.hash).not.toBe(plain.hash);
    const [a, b] = [plain, keyed].map(({ model }) => callKey('p', buildModelRequest(model, PROMPT as never, 'first')));
    expect(a).not.toBe(b);
  });

  it.each([
    ['model: other', /p\.request\.model: the program writes this field itself; leave it out/],
    ['n: 3', /request\.n: the program writes/],
    ['stream: true', /request\.stream: the program writes/],
    ['max_completion_tokens: 9', /set maxOutputTokens in its place/],
    ['temperature: 0', /set temperature in its place/],
    ['models: [a, b]', /may cost more than its price says/],
    ['tools: []', /may cost more than its price says/],
  ])('cannot be %s', (field, message) => {
    expect(() => load(`, request: { ${field} }`, '')).toThrow(message);
  });

  it('cannot write what the model’s reasoning writes', () => {
    const written = ', maxOutputTokens: 9000, reasoning: low, request: { reasoning_effort: high }';
    expect(() => load('', written)).toThrow(/models\.m\.request\.reasoning_effort: the model's reasoning writes/);
    expect(load('', ', request: { reasoning_effort: high }').model.request).toEqual({ reasoning_effort: 'high' });
  });

  it('make a listed price that of the service that they ask for', () => {
    const full = load('', '').model.price;
    expect(load('', ', request: { service_tier: flex }').model.price).toEqual({ ...full, paidPerMille: 500 });
    expect(load('', ', request: { service_tier: default }').model.price).toEqual(full);
    expect(load('', ', request: { service_tier: flex }, price: { discount: 0.4 }').model.price).toMatchObject({
      paidPerMille: 400,
    });
  });

  it('need a stated price for a service that the catalogue does not know', () => {
    const priority = ', request: { service_tier: priority }';
    expect(() => load('', priority)).toThrow(/no price for "priority"; state models\.m\.price/);
    expect(load('', `${priority}, price: { inputPerMillion: 1, outputPerMillion: 2 }`).model.price).toMatchObject({
      inputPerMillion: 1_000_000_000,
    });
  });
});
