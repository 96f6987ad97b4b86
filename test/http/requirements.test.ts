import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Evaluation } from '../../src/evaluation/evaluation.ts';
import { Mill } from '../../src/library/mill.ts';
import { storeKeys } from '../../src/store/store-keys.ts';
import { openTestServer, type TestServer } from '../helpers/http-server.ts';
import { startTcpRedis, type TcpRedis } from '../helpers/tcp-redis.ts';
import { makeDocuments, toJsonl } from '../helpers/workspace.ts';

let redis: TcpRedis;
let server: TestServer;
let mill: Mill;

const documents = makeDocuments(5);
const upload = { headers: { 'content-type': 'application/x-ndjson' }, body: toJsonl(documents) };
const TOO_SMALL = { requirement: 'contextTokens', state: 'unmet', want: '100,000', found: '32,768', by: '67,232' };
const WARNING = 'triage does not meet its requirement contextTokens: wanted 100,000, now 32,768 (off by 67,232).';
const UNKNOWN = { requirement: 'minQuality', state: 'unknown' };

beforeAll(async () => {
  redis = await startTcpRedis();
  server = await openTestServer({
    redis: redis.url,
    workflow: 'requirements: { contextTokens: 100000, minQuality: { metric: accuracy, value: 0.9 } }',
  });
  mill = new Mill(server.app, false);
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

async function evaluate(run: string, right: number): Promise<void> {
  const items = Array.from({ length: 400 }, (_, index) => ({
    id: `${index}`,
    valid: 1 as const,
    scores: { accuracy: index < right ? 1 : 0 },
    costUsd: 0.001,
  }));
  const evaluation: Evaluation = {
    run,
    workflow: 'triage',
    evaluatedAt: '2026-11-01T00:00:00.000Z',
    hashes: {},
    documents: 400,
    costUsd: 0.4,
    metrics: { accuracy: right / 400 },
    latencyMs: null,
    items,
  };
  await server.app.store.put(storeKeys.evaluation(run), Buffer.from(JSON.stringify(evaluation)));
}

describe('requirements of a workflow', () => {
  it('are in the answer to a plan, for the cascade and for each model, by API and library alike', async () => {
    const plan = await server.call('POST', '/api/v1/plan?workflow=triage', upload);
    expect(plan, plan.text).toMatchObject({ status: 200, body: { requirements: [UNKNOWN, TOO_SMALL] } });
    expect(plan.body.warnings).toContain(WARNING);
    expect(await mill.plan('triage', documents)).toEqual(plan.body);

    const models = await server.call('POST', '/api/v1/plan?workflow=triage&models=large', upload);
    const large = { requirement: 'contextTokens', state: 'met' };
    expect(models.body.candidates, models.text).toMatchObject([
      { model: null, requirements: [UNKNOWN, TOO_SMALL] },
      { model: 'large', requirements: [UNKNOWN, large] },
    ]);
    expect(await mill.plan('triage', documents, { models: ['large'] })).toEqual(models.body);
  });

  it('that are not met are warnings in the answer to a submission', async () => {
    const made = await server.call('POST', '/api/v1/batches?workflow=triage', upload);
    expect(made, made.text).toMatchObject({ status: 201, body: { warnings: [WARNING] } });
    expect(made.text).toMatch(/"spentUsd":0[,}]/);
    expect(await mill.submit('triage', documents)).toMatchObject({ kind: 'joined', warnings: [WARNING] });
    const none = await server.call('POST', '/api/v1/batches?workflow=digest', upload);
    expect(none.body.warnings, none.text).toEqual([]);
  });

  it('are held against runs that are compared', async () => {
    await evaluate('good', 390);
    await evaluate('bad', 300);
    const compared = await server.call('GET', '/api/v1/compare?run=good&run=bad');
    expect(compared.body.requirements, compared.text).toMatchObject([
      { run: 'good', verdicts: [{ requirement: 'minQuality', state: 'met' }, {}] },
      { run: 'bad', verdicts: [{ requirement: 'minQuality', state: 'unmet' }, {}] },
    ]);
    expect(await mill.compare('good', 'bad')).toEqual(compared.body);
    const one = await server.call('GET', '/api/v1/compare?run=good');
    expect(one, one.text).toMatchObject({ status: 400, body: { code: 'usage' } });
  });

  it('are described in the OpenAPI document', async () => {
    const { body } = await server.call('GET', '/openapi.json');
    const answer = (path: string, method: string, code: string) =>
      body.paths[path][method].responses[code].content['application/json'].schema.properties;
    expect(answer('/api/v1/batches', 'post', '201').warnings.description).toContain('not met');
    expect(answer('/api/v1/plan', 'post', '200')).toHaveProperty('requirements');
    expect(body.paths).toHaveProperty('/api/v1/compare');
  });
});
