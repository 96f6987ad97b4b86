import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { revokeKey } from '../../src/operations/api-keys.ts';
import { type RunningWorker, startWorker } from '../../src/worker/start-worker.ts';
import { queuesOf } from '../../src/workflows/model-workflow.ts';
import { HttpModel } from '../helpers/http-model.ts';
import { type HttpAnswer, openTestServer, type TestServer } from '../helpers/http-server.ts';
import { batchFile, CHAT } from '../helpers/openai-endpoint.ts';
import { startTcpRedis, type TcpRedis } from '../helpers/tcp-redis.ts';
import { makeDocuments, toJsonl } from '../helpers/workspace.ts';

const GOOD = { content: '{"label":"billing","confidence":0.9}' };
const JSON_TYPE = { 'content-type': 'application/json' };
const NDJSON = { 'content-type': 'application/x-ndjson' };

let redis: TcpRedis;
let model: HttpModel;
let one: TestServer;
let two: TestServer;
let worker: RunningWorker;
/** Made on the first server. */
let key: string;

beforeAll(async () => {
  redis = await startTcpRedis();
  model = await HttpModel.start();
  model.answer = () => GOOD;
  const first = await openTestServer({ redis: redis.url, model: model.url, host: '0.0.0.0' });
  one = first;
  two = await openTestServer({ redis: redis.url, yaml: first.yaml, host: '0.0.0.0' });
  worker = await startWorker(two.app, queuesOf(two.app.config));
  key = await one.key('anna');
});
afterAll(async () => {
  await worker?.stop();
  await two?.[Symbol.asyncDispose]();
  await one?.[Symbol.asyncDispose]();
  await model?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

async function upload(server: TestServer, text: string): Promise<string> {
  const form = new FormData();
  form.append('purpose', 'batch');
  form.append('file', new Blob([text]), 'in.jsonl');
  return (await server.call('POST', '/v1/files', { key, body: form })).body.id;
}

function ask(server: TestServer, inputFileId: string, more: object = {}): Promise<HttpAnswer> {
  const body = JSON.stringify({ ...CHAT, input_file_id: inputFileId, idempotency_key: 'tonight', ...more });
  return server.call('POST', '/v1/batches', { key, headers: JSON_TYPE, body });
}

function submit(server: TestServer, id: string): Promise<HttpAnswer> {
  const body = toJsonl(makeDocuments(10));
  return server.call('POST', `/api/v1/batches?workflow=triage&id=${id}`, { key, headers: NDJSON, body });
}

/** The states of a batch as a server's events tell them, until it has ended. */
async function statesOf(server: TestServer, id: string, opened: () => void): Promise<readonly string[]> {
  const headers = { authorization: `Bearer ${key}` };
  const abort = new AbortController();
  const { body } = await fetch(`${server.url}/api/v1/events`, { headers, signal: abort.signal });
  opened();
  const states = new Set<string>();
  let text = '';
  for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    for (const [, state = ''] of text.matchAll(new RegExp(`^data: {"id":"${id}".*?"state":"(\\w+)"`, 'gm'))) {
      states.add(state);
    }
    if (states.has('completed')) break;
  }
  abort.abort();
  return [...states];
}

describe('two servers on one Redis and store', () => {
  it('know the same keys', async () => {
    const secret = await two.key('ben');
    for (const server of [one, two]) {
      expect((await server.call('GET', '/api/v1/batches', { key: secret })).status).toBe(200);
    }
    await revokeKey(one.app, 'ben');
    for (const server of [one, two]) {
      expect((await server.call('GET', '/api/v1/batches', { key: secret })).status).toBe(401);
    }
  });

  it('give the files that the other one has received', async () => {
    const text = batchFile(3);
    const id = await upload(one, text);
    expect((await two.call('GET', `/v1/files/${id}/content`, { key })).text).toBe(text);
    const { body } = await two.call('GET', '/v1/files', { key });
    expect(body.data.map((file: { id: string }) => file.id)).toContain(id);
    expect((await two.call('DELETE', `/v1/files/${id}`, { key })).body).toMatchObject({ deleted: true });
    expect((await one.call('GET', `/v1/files/${id}`, { key })).status).toBe(404);
  });

  it('tell of a batch that the other one has taken, and give its results', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const states = statesOf(two, 'told', resolve);
    await promise;
    expect((await submit(one, 'told')).status).toBe(201);
    expect(await states).toContain('completed');
    const rows = (server: TestServer) => server.call('GET', '/api/v1/batches/told/results', { key });
    const [mine, others] = [await rows(one), await rows(two)];
    expect(others.text.trimEnd().split('\n')).toHaveLength(10);
    expect(others.text).toBe(mine.text);

    const table = async (kind: string, query: string) =>
      await two.call('GET', `/api/v1/batches/told/${kind}?${query}`, { key });
    const csv = await table('results', 'format=csv');
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(csv.headers.get('content-disposition')).toBe('attachment; filename="told-results.csv"');
    expect(csv.text.split('\n')[0]).toMatch(/^id,status,.*label.*costUsd/);
    expect(csv.text.trimEnd().split('\n')).toHaveLength(11);
    expect((await table('errors', 'format=csv')).text).toMatch(/^id,status,errorCode,.*\n$/);
    const parquet = await table('results', 'format=parquet&partial=true');
    expect(parquet.headers.get('content-type')).toBe('application/vnd.apache.parquet');
    expect(parquet.text).toMatch(/^PAR1.*PAR1$/s);
    expect(await table('results', 'format=xml')).toMatchObject({ status: 400, body: { code: 'usage' } });
    const paused = await two.call('POST', '/api/v1/batches/told/pause', { key });
    expect(paused).toMatchObject({ status: 409, body: { code: 'batch_state' } });
  });

  it('make one batch of a submission that comes to both', async () => {
    const answers = await Promise.all([submit(one, 'both'), submit(two, 'both')]);
    expect(answers.map(({ status }) => status).sort(), answers.map(({ text }) => text).join('\n')).toEqual([200, 201]);
  });

  it('make one batch of an idempotency key, and each gives its output', async () => {
    const file = await upload(one, batchFile(3));
    const asked = await Promise.all([ask(one, file), ask(two, file)]);
    expect(asked.map(({ status }) => status)).toEqual([200, 200]);
    const [id, other] = asked.map(({ body }) => body.id);
    expect(other).toBe(id);
    expect((await ask(two, file, { metadata: { a: 'b' } })).status).toBe(409);
    const outputs = [one, two].map(async (server) => {
      const batch = async () => (await server.call('GET', `/v1/batches/${id}`, { key })).body;
      await expect.poll(async () => (await batch()).status, { timeout: 60_000 }).toBe('completed');
      return (await batch()).output_file_id as string;
    });
    const [output, same] = await Promise.all(outputs);
    expect(same).toBe(output);
    const contents = await Promise.all(
      [one, two].map((server) => server.call('GET', `/v1/files/${output}/content`, { key })),
    );
    expect(contents.map(({ text }) => text.trimEnd().split('\n').length)).toEqual([3, 3]);
    expect((await two.call('GET', '/v1/batches', { key })).body.data).toHaveLength(1);
  });
});
