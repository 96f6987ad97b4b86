import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startWorker } from '../../src/worker/start-worker.ts';
import { HttpModel } from '../helpers/http-model.ts';
import { openTestServer, type TestServer } from '../helpers/http-server.ts';
import { startTcpRedis, type TcpRedis } from '../helpers/tcp-redis.ts';
import { toJsonl } from '../helpers/workspace.ts';

let redis: TcpRedis;
let model: HttpModel;
let server: TestServer;
const path = '/api/v1/batches/night/golden';

const json = (body: object) => ({ headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

beforeAll(async () => {
  redis = await startTcpRedis();
  model = await HttpModel.start();
  model.answer = () => ({ content: '{"label":"billing","confidence":0.9}' });
  server = await openTestServer({ redis: redis.url, model: model.url });
  const documents = ['a', 'b', 'c'].map((id) => ({ id, text: `=text of ${id}, "quoted"` }));
  await server.call('POST', '/api/v1/batches?workflow=triage&id=night', {
    headers: { 'content-type': 'application/x-ndjson' },
    body: toJsonl(documents),
  });
  const worker = await startWorker(server.app, ['triage'], () => {});
  await vi.waitFor(
    async () => expect((await server.call('GET', '/api/v1/batches/night')).body.state).toBe('completed'),
    { timeout: 30_000, interval: 50 },
  );
  await worker.stop({ force: false });
}, 60_000);
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await model?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

describe('golden sets over the API', () => {
  it('show answers to look at, a sample or named ones, with the labels that could be right', async () => {
    const sample = await server.call('GET', `${path}?sample=2`);
    expect(sample, sample.text).toMatchObject({ status: 200, body: { workflow: 'triage', rows: [{}, {}] } });
    expect(sample.body.labels).toContain('billing');
    const named = await server.call('GET', `${path}?document=b&document=c`);
    expect(named.body.rows.map(({ id }: { id: string }) => id).toSorted()).toEqual(['b', 'c']);
    expect(named.body.rows[0]).toMatchObject({ answer: 'billing', confidence: 0.9 });
    expect(await server.call('GET', `${path}?document=zz`)).toMatchObject({
      status: 404,
      body: { code: 'document_unknown' },
    });
  });

  it('take what a person says is right, one place for each id', async () => {
    const [, other] = (await server.call('GET', `${path}?sample=1`)).body.labels;
    const first = await server.call('POST', path, json({ corrections: [{ id: 'a' }, { id: 'b', wanted: other }] }));
    expect(first, first.text).toMatchObject({ status: 200, body: { workflow: 'triage', added: 2, replaced: 0 } });
    const again = await server.call('POST', path, json({ corrections: [{ id: 'b', wanted: 'billing' }] }));
    expect(again.body).toMatchObject({ added: 0, replaced: 1 });
    const set = await server.call('GET', '/api/v1/workflows/triage/golden');
    const labels = Object.fromEntries(
      set.body.items.map((item: { id: string; label: string }) => [item.id, item.label]),
    );
    expect(labels).toEqual({ a: 'billing', b: 'billing' });
    const lines = (await server.call('GET', '/api/v1/workflows/triage/golden?format=jsonl')).text.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toContainEqual({
      id: 'a',
      text: '=text of a, "quoted"',
      label: 'billing',
    });
  });

  it('make a round trip as CSV', async () => {
    const table = await server.call('GET', `${path}?format=csv&document=c`);
    expect(table.headers.get('content-type')).toContain('text/csv');
    expect(table.text).toBe('id,answer,confidence,correct,text\nc,billing,0.9,,"\'=text of c, ""quoted"""\n');
    const csv = { headers: { 'content-type': 'text/csv' } };
    const empty = await server.call('POST', path, { ...csv, body: table.text });
    expect(empty).toMatchObject({ status: 422, body: { code: 'input_invalid' } });
    const filled = await server.call('POST', path, { ...csv, body: table.text.replace('0.9,,', '0.9,ok,') });
    expect(filled, filled.text).toMatchObject({ status: 200, body: { added: 1 } });
  });

  it('refuse what is no label, no correction, no workflow, and keys that may not operate', async () => {
    const wrong = await server.call('POST', path, json({ corrections: [{ id: 'a', wanted: 'nonsense' }] }));
    expect(wrong).toMatchObject({ status: 422, body: { code: 'input_invalid' } });
    expect(wrong.body.detail).toContain('"nonsense", which is no label of triage');
    expect(await server.call('POST', path, json({}))).toMatchObject({ status: 400, body: { code: 'usage' } });
    const none = await server.call('GET', '/api/v1/workflows/nothing/golden');
    expect(none.body.code).toBe('workflow_unknown');
    const key = await server.key('reader', { rights: 'read' });
    expect(await server.call('GET', path, { key })).toMatchObject({ status: 403 });
  });

  it('leave the store with the batch they were made of, also where only they are left of it', async () => {
    const correct = () => server.call('POST', path, json({ corrections: [{ id: 'a' }, { id: 'c' }] }));
    const { store } = server.app;
    const lines = async () => await Array.fromAsync(store.list('golden/'), ({ key }) => key);
    await correct();
    const left = (await lines())[0] ?? '';
    const line = (await store.get(left)) ?? Buffer.of();
    await store.put(
      left.replace('triage', 'digest'),
      Buffer.from(Buffer.from(line).toString().replace('night', 'other')),
    );
    const { length } = await lines();
    const deleted = await server.call('DELETE', '/api/v1/batches/night');
    expect(deleted, deleted.text).toMatchObject({ status: 200, body: { goldenLines: length - 1 } });
    expect(await lines()).toEqual([left.replace('triage', 'digest')]);
    await store.put(left, line);
    expect((await server.call('DELETE', '/api/v1/batches/night')).body).toMatchObject({ objects: 1, goldenLines: 1 });
    expect(await lines()).toHaveLength(1);
  });
});
