import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../config/load.ts';

let cwd: string;

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'config-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

/** A config of these providers and models; `chain` is the cascade. */
function load(providers: string, models: string, chain: readonly string[]) {
  const cascade = chain.map((model) => `{ model: ${model} }`).join(', ');
  writeFileSync(
    join(cwd, 'nightmill.yaml'),
    `providers: { ${providers} }\nmodels: { ${models} }\nworkflows: { w: { task: summarize, cascade: [${cascade}] } }\n`,
  );
  const config = loadConfig({ env: {}, cwd });
  const pools = config.workflows.get('w')?.spec.cascade.map(({ model }) => model.pool);
  return { config, pools };
}

const provider = (name: string, more = '') => `${name}: { kind: openai, baseUrl: "http://x/v1"${more} }`;
const model = (name: string, more = '', at = 'acme') => `${name}: { provider: ${at}, id: ${name}-2026-01-01${more} }`;

describe('the pools of a config', () => {
  it('are one for each provider, shared by its models, with every limit that it states', () => {
    const limits =
      ', limits: { requestsPerMinute: 600, tokensPerMinute: 200000, inputTokensPerMinute: 1, outputTokensPerMinute: 2, ' +
      'requestsPerDay: 10000, tokensPerDay: "5000000", clusterConcurrency: 100, concurrency: 8 }';
    const { config, pools } = load(provider('acme', limits), `${model('a')}, ${model('b')}`, ['a', 'b', 'local']);
    expect(pools).toEqual(['acme', 'acme', 'local']);
    expect([...config.pools]).toEqual([
      [
        'acme',
        {
          requestsPerMinute: 600,
          tokensPerMinute: 200_000,
          inputTokensPerMinute: 1,
          outputTokensPerMinute: 2,
          requestsPerDay: 10_000,
          tokensPerDay: 5_000_000,
          concurrency: 100,
        },
      ],
    ]);
    expect(config.providers.get('acme')?.limits).toMatchObject({ concurrency: 8, clusterConcurrency: 100 });
  });

  it('count a day in the zone of the preset, or in the one that is stated', () => {
    const gemini = 'google: { preset: gemini, limits: { requestsPerDay: 250 } }';
    const at = (providers: string) => load(providers, model('a', '', 'google'), ['a']).config.pools.get('google');
    expect(at(gemini)).toEqual({ requestsPerDay: 250, dayTimezone: 'America/Los_Angeles' });
    expect(at(gemini.replace('250', '250, dayTimezone: Asia/Tokyo'))?.dayTimezone).toBe('Asia/Tokyo');
    expect(() => at(gemini.replace('250', '250, dayTimezone: Pacific'))).toThrow(/"Pacific" is not a time zone/);
  });

  it('without limits are there, with none', () => {
    const { config } = load(provider('acme'), model('a'), ['a']);
    expect(config.pools.get('acme')).toEqual({});
    expect(config.providers.get('acme')?.limits).toEqual({ concurrency: 32, startConcurrency: 4 });
  });

  it('give a model with limits a pool of its own', () => {
    const { config, pools } = load(
      provider('acme', ', limits: { requestsPerMinute: 600 }'),
      `${model('a', ', limits: { requestsPerMinute: 5, clusterConcurrency: 2 }')}, ${model('b')}`,
      ['a', 'b'],
    );
    expect(pools).toEqual(['acme/a', 'acme']);
    expect(Object.fromEntries(config.pools)).toEqual({
      acme: { requestsPerMinute: 600 },
      'acme/a': { requestsPerMinute: 5, concurrency: 2 },
    });
  });

  it('let models of several providers share the limits that one of them states', () => {
    const { config, pools } = load(
      `${provider('acme')}, ${provider('other')}`,
      `${model('a', ', pool: mini')}, ${model('b', ', pool: mini, limits: { tokensPerDay: 7 }', 'other')}`,
      ['a', 'b'],
    );
    expect(pools).toEqual(['mini', 'mini']);
    expect(config.pools.get('mini')).toEqual({ tokensPerDay: 7 });
  });

  it('let two providers of one account share one quota', () => {
    const { config, pools } = load(
      `${provider('east', ', pool: account, limits: { requestsPerMinute: 60 }')}, ${provider('west', ', pool: account')}`,
      `${model('a', '', 'east')}, ${model('b', '', 'west')}`,
      ['a', 'b'],
    );
    expect(pools).toEqual(['account', 'account']);
    expect(Object.fromEntries(config.pools)).toEqual({ account: { requestsPerMinute: 60 } });
  });

  it('refuse two different limits for one pool, and take the same twice', () => {
    const pair = (first: number, second: number) =>
      `${model('a', `, pool: mini, limits: { requestsPerMinute: ${first} }`)}, ` +
      model('b', `, pool: mini, limits: { requestsPerMinute: ${second} }`);
    expect(() => load(provider('acme'), pair(5, 6), ['a'])).toThrow(
      /models\.b\.limits: the pool "mini" has other limits at models\.a\.limits; a pool has one quota/,
    );
    expect(load(provider('acme'), pair(5, 5), ['a']).config.pools.get('mini')).toEqual({ requestsPerMinute: 5 });
  });

  it('refuse a limit for one process at a model, and a pool name with a slash', () => {
    expect(() => load(provider('acme'), model('a', ', limits: { concurrency: 5 }'), ['a'])).toThrow(
      /models\.a\.limits: .*concurrency/,
    );
    expect(() => load(provider('acme'), model('a', ', pool: acme/b'), ['a'])).toThrow(
      /models\.a\.pool: a pool name has/,
    );
  });
});
