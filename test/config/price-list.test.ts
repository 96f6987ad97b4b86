import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BUILT_IN_CATALOGUE, cataloguePrice, listedModel } from '../../config/catalogue.ts';
import { loadConfig } from '../../config/load.ts';
import { mergePriceLists, parsePriceList } from '../../config/price-list.ts';
import type { NightmillError } from '../../src/errors.ts';
import { usdToNano } from '../../src/money/money.ts';
import { holdFor, typicalCost } from '../../src/requests/estimate.ts';

const OPENAI = 'https://api.openai.com/v1';

function list(models: object, asOf = '2027-02-01', provider: object = {}): string {
  return JSON.stringify({ asOf, source: 'our contract', providers: { openai: { ...provider, models } } });
}

function merged(text: string) {
  return mergePriceLists(BUILT_IN_CATALOGUE, parsePriceList(text, 'prices.json'));
}

describe('mergePriceLists()', () => {
  it('a later price replaces the built-in one, which goes to the history', () => {
    const after = merged(list({ 'gpt-4o': { input: '2', output: '8' } }));
    expect(cataloguePrice(OPENAI, 'gpt-4o', after)?.inputPerMillion).toBe(usdToNano(2));
    const listed = listedModel(OPENAI, 'gpt-4o', after);
    expect(listed?.asOf).toBe('2027-02-01');
    expect(listed?.entry.history?.[0]).toMatchObject({ until: '2027-02-01', input: '2.5', output: '10' });
    expect(listed?.entry.contextTokens).toBe(128_000);
  });

  it('an earlier price changes nothing', () => {
    const after = merged(list({ 'gpt-4o': { input: '9', output: '9' } }, '2026-01-01'));
    expect(cataloguePrice(OPENAI, 'gpt-4o', after)?.inputPerMillion).toBe(usdToNano(2.5));
    expect(after.asOf).toBe(BUILT_IN_CATALOGUE.asOf);
  });

  it('a model and a provider that are new are added', () => {
    const after = merged(
      JSON.stringify({
        asOf: '2027-02-01',
        source: 'mail of our reseller',
        providers: { reseller: { hosts: ['llm.example.com'], models: { 'big-1': { input: '1', output: '2' } } } },
      }),
    );
    expect(cataloguePrice('https://llm.example.com/v1', 'big-1', after)?.outputPerMillion).toBe(usdToNano(2));
    expect(cataloguePrice(OPENAI, 'gpt-4o', after)?.inputPerMillion).toBe(usdToNano(2.5));
  });

  it('a list that is not one is refused with the path of its problem', () => {
    const problemOf = (text: string) => {
      try {
        merged(text);
      } catch (error) {
        const { code, message } = error as NightmillError;
        return `${code} ${message}`;
      }
      return '';
    };
    expect(problemOf('{')).toMatch(/price_list_invalid .*no JSON/);
    expect(problemOf(list({ 'gpt-4o': { input: 2, output: '8' } }))).toMatch(
      /providers\.openai\.models\.gpt-4o\.input/,
    );
    expect(problemOf(list({ 'gpt-4o': { input: '2', output: '8', inptu: '1' } }))).toMatch(/inptu/);
    expect(problemOf(list({ a: { input: '-1', output: '8' } }))).toMatch(/dollars per million tokens/);
    expect(
      problemOf(JSON.stringify({ asOf: '2027-01-01', source: 'x', providers: { other: { models: {} } } })),
    ).toMatch(/hosts/);
  });
});

describe('the figures of a model', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nightmill-list-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function configOf(model: string, baseUrl = OPENAI) {
    const file = join(folder, 'nightmill.yaml');
    writeFileSync(
      file,
      `providers: { acme: { kind: openai, baseUrl: "${baseUrl}" } }
models: { small: { provider: acme, ${model} } }
workflows: { shorten: { task: summarize, cascade: [{ model: small }] } }
`,
    );
    return loadConfig({ file, env: {}, cwd: folder });
  }

  it('window and cap come from the catalogue where the config says nothing', () => {
    const config = configOf('id: gpt-4o-2024-08-06');
    expect(config.models.get('small')).toMatchObject({ contextTokens: 128_000, maxOutputTokens: 16_384 });
    expect(config.modelFacts.get('small')).toMatchObject({ window: 'catalogue', cap: 'catalogue', price: 'catalogue' });
  });

  it('the config goes before the catalogue', () => {
    const config = configOf('id: gpt-4o-2024-08-06, contextTokens: 64000, maxOutputTokens: 512');
    expect(config.models.get('small')).toMatchObject({ contextTokens: 64_000, maxOutputTokens: 512 });
    expect(config.modelFacts.get('small')).toMatchObject({ window: 'config', cap: 'config' });
  });

  it('a small window leaves room for a document', () => {
    const config = configOf('id: llama3-8b-8192', 'https://api.groq.com/openai/v1');
    expect(config.models.get('small')).toMatchObject({ contextTokens: 8192, maxOutputTokens: 4096 });
  });

  it('a model that nobody knows is taken for what nearly all can do, and that is marked', () => {
    const config = configOf('id: my-finetune', 'http://127.0.0.1:9/v1');
    expect(config.models.get('small')).toMatchObject({ contextTokens: 32_768, maxOutputTokens: 4096 });
    expect(config.modelFacts.get('small')).toEqual({ price: 'none', window: 'assumed', cap: 'assumed' });
  });

  it('the price of a family is marked as such', () => {
    const config = configOf('id: gemini-2.0-flash-001', 'https://generativelanguage.googleapis.com/v1beta/openai');
    expect(config.modelFacts.get('small')).toMatchObject({ price: 'family', family: 'gemini-2.0-flash' });
    expect(config.models.get('small')?.price?.inputPerMillion).toBe(usdToNano(0.1));
  });

  it('nothing is held for cache writes where no marker is sent, and only for the system prompt where one is', () => {
    const anthropic = (more: string) => {
      const file = join(folder, 'nightmill.yaml');
      writeFileSync(
        file,
        `providers: { claude: { preset: anthropic${more} } }
models: { haiku: { provider: claude, id: claude-haiku-4-5-20251001 } }
workflows: { shorten: { task: summarize, cascade: [{ model: haiku }] } }
`,
      );
      return loadConfig({ file, env: {}, cwd: folder }).models.get('haiku')!;
    };
    // $1.00 in, $1.25 for writes, $5.00 out a million tokens.
    expect(holdFor(anthropic(', promptCache: none'), 1_000_000, 0, 200_000)).toBe(usdToNano(1));
    expect(holdFor(anthropic(''), 1_000_000, 0, 200_000)).toBe(usdToNano(1.05));
    expect(holdFor(anthropic(', promptCache: automatic'), 1_000_000, 0, 200_000)).toBe(usdToNano(1.25));
    expect(typicalCost(anthropic(''), 1_000_000, 0)).toBe(usdToNano(1));
  });

  it('a threshold in a summarize workflow, which would do nothing, is refused', () => {
    const file = join(folder, 'nightmill.yaml');
    writeFileSync(file, 'workflows: { s: { task: summarize, cascade: [{ model: local, acceptAt: 0.8 }] } }\n');
    expect(() => loadConfig({ file, env: {}, cwd: folder })).toThrow(
      /workflows\.s\.cascade\.0\.acceptAt: an answer of task summarize has no confidence that 0\.8 could be compared with/,
    );
  });
});
