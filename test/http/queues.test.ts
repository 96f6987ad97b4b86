import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestServer } from '../helpers/http-server.ts';
import { startTcpRedis, type TcpRedis } from '../helpers/tcp-redis.ts';

let redis: TcpRedis;

beforeAll(async () => {
  redis = await startTcpRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

it('queues and their jobs are told to who may operate, without any text of a document', async () => {
  await using server = await openTestServer({ redis: redis.url, host: '0.0.0.0' });
  const [all, some] = [await server.key('anna', { rights: 'operate' }), await server.key('ben')];
  const submitted = await server.call('POST', '/api/v1/batches?workflow=triage&id=night', {
    key: some,
    body: '{"id":"d1","text":"a secret text"}\n',
  });
  expect(submitted.status).toBe(201);

  const { body } = await server.call('GET', '/api/v1/queues', { key: all });
  const night = { name: 'triage', waiting: 1, active: 0, delayed: 0, failed: 0, paused: false, workersAlive: 0 };
  expect(body.queues).toContainEqual({ ...night, oldestAt: expect.any(String) });
  expect(body.queues.at(-1)).toMatchObject({ name: 'nightmill.finalize', waiting: 0, oldestAt: null });

  await server.call('POST', '/api/v1/workflows/triage/pause', { key: all });
  const detail = await server.call('GET', '/api/v1/queues/triage', { key: all });
  expect(detail.body).toMatchObject({
    ...night,
    paused: true,
    jobs: { waiting: [{ batch: 'night', slice: 0, startedAt: null, failures: 0, reason: null }], active: [] },
  });
  expect(detail.text).not.toContain('secret text');

  const unknown = await server.call('GET', '/api/v1/queues/nothing', { key: all });
  expect(unknown).toMatchObject({ status: 404, body: { code: 'workflow_unknown' } });
  expect(unknown.body.detail).toContain('known: ');
  for (const path of ['/api/v1/queues', '/api/v1/queues/triage']) {
    const refused = await server.call('GET', path, { key: some });
    expect(refused).toMatchObject({ status: 403, body: { code: 'right_missing', status: 403 } });
    expect(await server.call('GET', path)).toMatchObject({ status: 401 });
  }
});
