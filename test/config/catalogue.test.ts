import { readFileSync } from 'node:fs';
import { calcPrice } from '@pydantic/genai-prices';
import { describe, expect, it } from 'vitest';
import { type Catalogue, catalogueHint, cataloguePrice, entryPrice, listedModel } from '../../config/catalogue.ts';
import { printCatalogue } from '../../scripts/update-prices/print-catalogue.ts';
import { generateCatalogue } from '../../scripts/update-prices.ts';
import { usdToNano } from '../../src/money/money.ts';
import { priceBound, priceCall } from '../../src/money/price.ts';
import { NO_USAGE } from '../../src/money/usage.ts';

const OPENAI = 'https://api.openai.com/v1';
const file = readFileSync(new URL('../../config/prices/catalogue.json', import.meta.url), 'utf8');
const catalogue = JSON.parse(file) as Catalogue;
const entries = Object.entries(catalogue.providers).flatMap(([provider, { hosts, models }]) =>
  Object.entries(models).map(([id, entry]) => ({ provider, host: hosts[0] ?? '', id, entry })),
);
const fromSource = entries.filter(({ provider }) => catalogue.providers[provider]?.source === undefined);

describe('the price catalogue', () => {
  it('the catalogue file is what scripts/update-prices.ts generates for its day', () => {
    expect(file).toBe(printCatalogue(generateCatalogue(catalogue.asOf, catalogue)));
  });

  it('the catalogue names its day, its source with the version, and its unit', () => {
    expect(catalogue.asOf).toMatch(/^\d{4}-\d{2}-\d{2}$/);
    expect(catalogue.source).toMatch(/^@pydantic\/genai-prices \d+\.\d+\.\d+$/);
    expect(catalogue.unit).toBe('USD per million tokens');
  });

  it('every entry is found by its host and id as a price that costs something', () => {
    expect(entries.length).toBeGreaterThan(200);
    for (const { host, id, entry } of entries) {
      const price = cataloguePrice(`https://${host}/v1`, id);
      expect(price, id).toEqual(entryPrice(entry));
      expect(priceBound(price!, 1_000_000, 1_000_000), id).toBeGreaterThan(0);
      for (const tier of price!.longContext ?? []) {
        expect(tier.inputPerMillion, id).toBeGreaterThanOrEqual(price!.inputPerMillion);
      }
    }
  });

  it('no entry is below what its source calculates, below, at and above every long-context bound', () => {
    const timestamp = new Date(`${catalogue.asOf}T12:00:00Z`);
    for (const { provider, id, entry } of fromSource) {
      const bounds = (entry.longContext ?? []).map((tier) => tier.aboveInputTokens);
      for (const inputTokens of [1000, ...bounds, ...bounds.map((bound) => bound + 1)]) {
        const usage = { input_tokens: inputTokens, cache_read_tokens: 200, output_tokens: 3000 };
        const source = calcPrice(usage, id, { providerId: provider, timestamp });
        const ours = priceCall(entryPrice(entry), {
          ...NO_USAGE,
          inputTokens,
          cachedInputTokens: 200,
          outputTokens: 3000,
        });
        const theirs = Math.round((source?.total_price ?? Number.NaN) * 1e9);
        if (entry.varies === true) expect(ours, id).toBeGreaterThanOrEqual(theirs);
        else expect(Math.abs(ours - theirs), `${provider} ${id} with ${inputTokens} tokens`).toBeLessThanOrEqual(1);
      }
    }
  });

  it.each([
    [OPENAI, 'gpt-4o-mini-2024-07-18', 0.15, 0.075, 0.6],
    [OPENAI, 'gpt-4.1-2025-04-14', 2, 0.5, 8],
    ['https://api.anthropic.com/v1', 'claude-haiku-4-5-20251001', 1, 0.1, 5],
    ['https://generativelanguage.googleapis.com/v1beta/openai', 'gemini-2.5-flash', 0.3, 0.03, 2.5],
    ['https://api.groq.com/openai/v1', 'llama-3.1-8b-instant', 0.05, 0.05, 0.08],
  ])('%s lists %s with the published figures', (baseUrl, id, input, cached, output) => {
    expect(cataloguePrice(baseUrl, id)).toMatchObject({
      inputPerMillion: usdToNano(input),
      cachedInputPerMillion: usdToNano(cached),
      outputPerMillion: usdToNano(output),
    });
  });

  it('long-context rates and the cache write rate come along', () => {
    const gemini = cataloguePrice('https://generativelanguage.googleapis.com/v1beta/openai/', 'gemini-2.5-pro');
    expect(gemini?.longContext).toEqual([
      {
        aboveInputTokens: 200_000,
        inputPerMillion: usdToNano(2.5),
        cachedInputPerMillion: usdToNano(0.25),
        outputPerMillion: usdToNano(15),
      },
    ]);
    expect(cataloguePrice(OPENAI, 'gpt-6-sol')).toMatchObject({
      cacheWritePerMillion: usdToNano(2.5),
      longContext: [{ aboveInputTokens: 272_000, cacheWritePerMillion: usdToNano(5) }],
    });
  });

  it('a price that depends on the hour, or is announced to rise, is listed at its dearest', () => {
    expect(cataloguePrice('https://api.deepseek.com/v1', 'deepseek-v4-flash')?.outputPerMillion).toBe(usdToNano(1.32));
    const introductory = cataloguePrice('https://generativelanguage.googleapis.com/v1beta/openai', 'gemini-3.6-flash');
    expect(introductory?.inputPerMillion).toBe(usdToNano(1.5));
  });
});

describe('cataloguePrice()', () => {
  it.each([
    'gpt-4o-mini-',
    'gpt-4o-min',
    'GPT-4o-mini',
    'openai/gpt-4o-mini',
    ' gpt-4o-mini',
    'ft:gpt-4o-mini-2024-07-18:acme::abc',
    'toString',
    '__proto__',
    '',
  ])('cataloguePrice() has no price for %j, which is not exactly a listed id', (id) => {
    expect(cataloguePrice(OPENAI, id)).toBeUndefined();
  });

  it.each([
    'http://127.0.0.1:8000/v1',
    'http://localhost:11434/v1',
    'https://api.openai.com.example.org/v1',
    'https://eu.api.openai.com/v1',
    'https://acme.openai.azure.com/openai/v1',
    'https://openrouter.ai/api/v1',
    'https://gateway.example.org/api.openai.com/v1',
  ])('cataloguePrice() guesses nothing at %s', (baseUrl) => {
    expect(cataloguePrice(baseUrl, 'gpt-4o-mini')).toBeUndefined();
    expect(cataloguePrice(baseUrl, 'openai/gpt-4o-mini')).toBeUndefined();
    expect(catalogueHint(baseUrl, 'gpt-4o-mini-2030-01-01')).toBeUndefined();
  });

  it('cataloguePrice() lists no name that moves from model to model', () => {
    const moving = entries.filter(({ id }) => /latest$|^deepseek-(?:chat|reasoner)$/.test(id));
    expect(moving).toEqual([]);
  });
});

describe('listedModel()', () => {
  it('a pinned snapshot that is not listed takes the figures of its family, and says so', () => {
    const gemini = listedModel('https://generativelanguage.googleapis.com/v1beta', 'gemini-2.0-flash-001');
    expect(gemini).toMatchObject({ family: 'gemini-2.0-flash', entry: { input: '0.1', contextTokens: 1_048_576 } });
    expect(listedModel(OPENAI, 'gpt-4o-mini-2030-01-01')?.family).toBe('gpt-4o-mini');
    expect(listedModel(OPENAI, 'gpt-4o-mini-2024-07-18')?.family).toBeUndefined();
  });

  it('every window is larger than its cap or equal, and most models have one', () => {
    const sized = entries.filter(({ entry }) => entry.contextTokens !== undefined);
    expect(sized.length).toBeGreaterThan(250);
    for (const { id, entry } of sized) {
      expect(entry.contextTokens ?? 0, id).toBeGreaterThanOrEqual(entry.maxOutputTokens ?? 1);
    }
  });

  it('a price that has changed has a history, latest first, whose prices are not the present one', () => {
    const listed = listedModel(OPENAI, 'gpt-5.6-sol');
    expect(listed?.entry.history?.[0]).toMatchObject({ until: '2026-08-21', input: '5', output: '30' });
    for (const { id, entry } of entries) {
      const days = (entry.history ?? []).map(({ until }) => until);
      expect(days, id).toEqual(days.toSorted().reverse());
    }
  });

  it('prices that are not of the list have a day and a source of their own', () => {
    const deepinfra = listedModel('https://api.deepinfra.com/v1/openai', 'zai-org/GLM-4.5');
    expect(deepinfra).toMatchObject({ asOf: '2026-01-22', entry: { input: '0.6', output: '2.2' } });
  });

  it('a model that its provider takes away says when', () => {
    expect(listedModel(OPENAI, 'gpt-4o-mini-2024-07-18')?.entry.withdrawn).toBe('2027-01-14');
  });
});

describe('catalogueHint()', () => {
  it('catalogueHint() names the nearest listed ids with their prices and the day', () => {
    const hint = catalogueHint(OPENAI, 'gpt-4o-mini-next');
    expect(hint).toContain(`price catalogue of ${catalogue.asOf}`);
    expect(hint).toContain('gpt-4o-mini ($0.15 in, $0.6 out), gpt-4o ($2.5 in, $10 out)');
  });

  it('catalogueHint() names dated versions of an alias', () => {
    expect(catalogueHint('https://api.mistral.ai/v1', 'mistral-large')).toContain(
      'mistral-large-2512 ($0.5 in, $1.5 out)',
    );
  });

  it('catalogueHint() says nothing where no listed id continues the name or is continued by it', () => {
    expect(catalogueHint(OPENAI, 'gpt-4omni')).toBeUndefined();
    expect(catalogueHint(OPENAI, 'acme-1')).toBeUndefined();
  });
});
