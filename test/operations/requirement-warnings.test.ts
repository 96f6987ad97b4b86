import { describe, expect, it } from 'vitest';
import { loadConfigValue } from '../../config/load.ts';
import { knownFacts, type LatestBatch } from '../../src/operations/evidence/requirement-warnings.ts';
import { judge, type Requirements } from '../../src/workflows/requirements.ts';

const config = loadConfigValue(
  {
    providers: {
      acme: {
        kind: 'openai',
        baseUrl: 'http://127.0.0.1:7111/v1',
        apiKey: 'k',
        limits: { requestsPerMinute: 60, concurrency: 10 },
      },
    },
    models: { small: { provider: 'acme', id: 'small-2026-01-01' } },
    workflows: { w: { task: 'classify', labels: ['a', 'b'], cascade: [{ model: 'small' }] } },
  },
  { env: {}, cwd: '/' },
);

function unmet(requirements: Requirements, latest?: LatestBatch): readonly string[] {
  const spec = config.workflows.get('w')?.spec;
  if (spec === undefined) throw new RangeError('There is no workflow w');
  return judge(requirements, knownFacts(config, spec, requirements, latest)).flatMap(({ requirement, state, found }) =>
    state === 'unmet' ? [`${requirement} ${found}`] : [],
  );
}

describe('what is known of requirements before a batch', () => {
  it('is its quota: 7,200 documents at 60 requests a minute take 2 hours', () => {
    expect(unmet({ documentsPerNight: 7_200, hours: 1 })).toEqual(['hours at least 2.0 h, by the quota alone']);
    expect(unmet({ documentsPerNight: 7_200, hours: 2 })).toEqual([]);
  });

  it('is also what the latest batch took: calls, latency and dollars of a document', () => {
    const load = { calls: 2, inputTokens: 10, outputTokens: 1 };
    const latest = { load, callSeconds: 20, p95Seconds: 30, cost: 2_000_000 };
    // Ten calls in flight of 20 s are 30 a minute, fewer than the quota allows.
    expect(unmet({ documentsPerNight: 7_200, hours: 2, p95LatencySeconds: 25, monthlyUsd: 1e9 }, latest)).toEqual([
      'p95LatencySeconds 30.0 s',
      'monthlyUsd $432.00',
      'hours 8.0 h',
    ]);
  });

  it('are no hours that only an assumed latency would give', () => {
    // 40 documents pass the quota in a minute; how long their calls take is not known.
    expect(unmet({ documentsPerNight: 40, hours: 0.001 })).toEqual(['hours at least 0.01 h, by the quota alone']);
    expect(unmet({ documentsPerNight: 40, hours: 0.0115 })).toEqual([]);
  });

  it('leaves open what no batch has shown', () => {
    expect(unmet({ p95LatencySeconds: 1, usdPerThousandDocuments: 1 })).toEqual([]);
  });
});
