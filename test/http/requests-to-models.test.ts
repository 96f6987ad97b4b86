import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestServer } from '../helpers/http-server.ts';
import { batchFile, bodyOf } from '../helpers/openai-endpoint.ts';
import { startTcpRedis, type TcpRedis } from '../helpers/tcp-redis.ts';

let redis: TcpRedis;

beforeAll(async () => {
  redis = await startTcpRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

it('requests to models are held, let go and counted without a workflow of that name in the config', async () => {
  await using server = await openTestServer({ redis: redis.url });
  const form = new FormData();
  form.append('purpose', 'batch');
  form.append('file', new Blob([batchFile(3, () => ({ body: bodyOf('small', 'Hi') }))]), 'in.jsonl');
  const { body: file } = await server.call('POST', '/v1/files', { body: form });
  const headers = { 'content-type': 'application/json' };
  const asked = { input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' };
  const { body: batch } = await server.call('POST', '/v1/batches', { headers, body: JSON.stringify(asked) });
  const wanted = async () => (await server.call('GET', '/api/v1/workers-wanted')).body.workers;
  await expect.poll(wanted, { timeout: 20_000 }).toBe(1);

  const paused = await server.call('POST', '/api/v1/workflows/models/pause');
  expect(paused).toMatchObject({ status: 200, body: { kind: 'workflow', changed: true } });
  const { body: held } = await server.call('GET', `/api/v1/batches/${batch.id}`);
  expect(held).toMatchObject({ state: 'paused', workflow: 'models', model: 'small', breaker: { cause: 'operator' } });
  expect(await wanted()).toBe(0);
  const resumed = await server.call('POST', '/api/v1/workflows/models/resume');
  expect(resumed).toMatchObject({ status: 200, body: { changed: true } });
  expect((await server.call('GET', `/api/v1/batches/${batch.id}`)).body.state).toBe('queued');
  const unknown = await server.call('POST', '/api/v1/workflows/nobody/pause');
  expect(unknown.body).toMatchObject({ status: 404, detail: expect.stringContaining('workflows: triage, digest') });
});
