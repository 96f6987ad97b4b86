import { describe, expect, test } from 'vitest';
import { MemoryStore } from '../../src/adapters/memory-store/memory-store.ts';
import { checkEverything, type DoctorContext } from '../../src/doctor/doctor.ts';
import type { LocalModel } from '../../src/local-model/local-model.ts';
import { SMALL, TRIAGE } from '../helpers/memory/memory-app.ts';

interface Provider {
  readonly name: string;
  readonly baseUrl: string;
}

const ACME: Provider = { name: 'acme', baseUrl: 'http://acme.test/v1' };
const local = (kind: LocalModel['kind']) => ({ kind }) as LocalModel;

function contextOf(change: Partial<DoctorContext<Provider>> = {}): DoctorContext<Provider> {
  return {
    config: {
      store: { url: 'memory:' },
      providers: new Map([['acme', ACME]]),
      workflows: new Map([['triage', { spec: TRIAGE }]]),
      modelFacts: new Map(),
      prices: { asOf: '2026-03-01' },
    },
    now: Date.parse('2026-03-02T00:00:00Z'),
    version: '1.2.3',
    openStore: async () => new MemoryStore(),
    openApp: async () => ({
      clock: { aheadMs: 0 },
      redis: { description: 'embedded' },
      local: local('sentence-encoder'),
      [Symbol.asyncDispose]: async () => {},
    }),
    probeProvider: async () => ({ status: 200, models: [SMALL.id] }),
    ...change,
  };
}

async function stateOf(name: string, change: Partial<DoctorContext<Provider>> = {}) {
  const found = (await checkEverything(contextOf(change))).find((check) => check.name === name);
  return `${found?.state}: ${found?.detail}`;
}

describe('checkEverything()', () => {
  test('is well where store, Redis, the local model and every provider are', async () => {
    const checks = await checkEverything(contextOf());
    expect(checks.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'node ok',
      'config ok',
      'store ok',
      'redis ok',
      'local model ok',
      'clock ok',
      'provider acme ok',
    ]);
  });

  test('a store or Redis that cannot be opened is a failed line, not an error', async () => {
    const broken = () => Promise.reject(new Error('connection refused'));
    expect(await stateOf('store', { openStore: broken })).toMatch(/^failed: .*connection refused/);
    expect(await stateOf('redis', { openApp: broken })).toMatch(/^failed: .*connection refused/);
    expect(await stateOf('provider acme', { probeProvider: broken })).toMatch(
      /^failed: cannot reach http:\/\/acme\.test\/v1: .*Check baseUrl/,
    );
  });

  test.each([
    [{ status: 401 }, /^failed: .*refused the key \(HTTP 401\)/],
    [{ status: 503 }, /^failed: .*HTTP 503.*status page/],
    [{ status: 501 }, /^ok: .*no model list/],
    [{ status: 404 }, /^ok: .*no model list/],
    [{ status: 200, models: ['other'] }, /^warning: .*does not list small-1/],
  ])('a provider that answers %j', async (answer, wanted) => {
    expect(await stateOf('provider acme', { probeProvider: async () => answer })).toMatch(wanted);
  });

  test('names a variable that is not set', async () => {
    const { config } = contextOf();
    const missingSecrets = [{ path: 'providers.acme.apiKey', name: 'ACME_KEY' }];
    expect(await stateOf('environment', { config: { ...config, missingSecrets } })).toMatch(/^failed: .*ACME_KEY/);
  });

  test.each([
    [30_000, /^warning: .*30\.0 s ahead of Redis's/],
    [-93_600_000, /^failed: .*26\.0 h behind Redis's.*takes no work.*NTP/],
  ])('a clock %i ms from Redis’s', async (aheadMs, said) => {
    const openApp = async () => ({ ...(await contextOf().openApp()), clock: { aheadMs } });
    expect(await stateOf('clock', { openApp })).toMatch(said);
  });

  test('without the embedding packages the local model needs examples', async () => {
    const openApp = async () => ({
      clock: { aheadMs: 0 },
      redis: { description: 'embedded' },
      local: local('naive-bayes'),
      [Symbol.asyncDispose]: async () => {},
    });
    expect(await stateOf('local model', { openApp })).toMatch(/^warning: .*npm install/);
  });
});
