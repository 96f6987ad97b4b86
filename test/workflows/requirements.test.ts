import { describe, expect, it } from 'vitest';
import { loadConfigValue } from '../../config/load.ts';
import { usdToNano } from '../../src/money/money.ts';
import { type CandidateFacts, chooseCandidate, judge, type Requirements } from '../../src/workflows/requirements.ts';

const exact = (value: number) => ({ value, bound: value });

const FACTS: CandidateFacts = {
  quality: { value: 0.9, bound: 0.87 },
  format: exact(1),
  p95Seconds: { value: 2, bound: 2.5 },
  costPerDocument: exact(usdToNano(0.001)),
  contextTokens: 32_768,
  data: 'noTraining',
  hours: 3,
};

describe('judge()', () => {
  it.each<[string, Requirements, object]>([
    ['the bound, not the mean', { minQuality: { metric: 'accuracy', value: 0.88 } }, { state: 'unmet', by: '0.0100' }],
    ['a bound that reaches it', { minQuality: { metric: 'accuracy', value: 0.87 } }, { state: 'met' }],
    ['latency', { p95LatencySeconds: 2 }, { state: 'unmet', found: '2.0 s, surely 2.5 s', by: '0.5 s' }],
    [
      'dollars of a thousand',
      { usdPerThousandDocuments: usdToNano(0.9) },
      { state: 'unmet', found: '$1.00', by: '$0.10' },
    ],
    [
      'dollars of thirty nights',
      { monthlyUsd: usdToNano(30), documentsPerNight: 1_000 },
      { state: 'met', found: '$30.00' },
    ],
    ['hours of a night', { hours: 2, documentsPerNight: 1_000 }, { state: 'unmet', by: '1.0 h' }],
    ['the window', { contextTokens: 100_000 }, { state: 'unmet', found: '32,768' }],
    ['valid answers', { format: 0.99 }, { state: 'met' }],
    ['a promise that is weaker', { data: 'local' }, { state: 'unmet', found: 'noTraining' }],
    ['a promise that is as strong', { data: 'noTraining' }, { state: 'met' }],
  ])('holds a candidate to %s', (_, requirements, verdict) => {
    expect(judge(requirements, FACTS)).toMatchObject([verdict]);
  });

  it('knows the unknown from the unmet', () => {
    const requirements = { p95LatencySeconds: 2, data: 'local' } as const;
    expect(judge(requirements, {}).map(({ state }) => state)).toEqual(['unknown', 'unknown']);
    const few = judge(requirements, { p95Seconds: { value: 1, bound: undefined }, data: 'local' });
    expect(few).toMatchObject([
      { state: 'unknown', found: '1.0 s, on too few documents to be sure' },
      { state: 'met' },
    ]);
  });
});

describe('chooseCandidate()', () => {
  const candidate = (name: string, bound: number, usd: number) => ({
    name,
    facts: { ...FACTS, quality: { value: bound, bound }, costPerDocument: exact(usdToNano(usd)) },
  });
  const three = [candidate('good', 0.95, 3), candidate('fair', 0.85, 2), candidate('poor', 0.7, 1)];

  it('takes the cheapest that meets everything', () => {
    const choose = (value: number) => chooseCandidate({ minQuality: { metric: 'accuracy', value } }, three).chosen;
    expect([0.6, 0.8, 0.9].map(choose)).toEqual(['poor', 'fair', 'good']);
  });

  it('names the requirement that excludes everybody', () => {
    const strict = { minQuality: { metric: 'accuracy', value: 0.8 }, hours: 1, documentsPerNight: 9 };
    const choice = chooseCandidate(strict, three);
    expect(choice).toMatchObject({ excludesAll: ['hours'] });
    expect(choice).not.toHaveProperty('chosen');
  });
});

describe('requirements in the config', () => {
  const load = (requirements: object) =>
    loadConfigValue(
      { workflows: { w: { task: 'classify', labels: ['a', 'b'], cascade: [{ model: 'local' }], requirements } } },
      { env: {}, cwd: '/' },
    ).workflows.get('w')?.requirements;

  it('are read in nano-dollars', () => {
    expect(
      load({ usdPerThousandDocuments: 0.5, minQuality: { metric: 'accuracy', value: 0.9 }, data: 'local' }),
    ).toEqual({
      usdPerThousandDocuments: usdToNano(0.5),
      minQuality: { metric: 'accuracy', value: 0.9 },
      data: 'local',
    });
  });

  it('of a night need to know how many documents it has', () => {
    expect(() => load({ hours: 2 })).toThrow('hours and monthlyUsd need documentsPerNight');
  });
});
