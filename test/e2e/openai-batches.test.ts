import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import {
  batchFile,
  bodyOf,
  CHAT,
  clientOf,
  createBatch,
  failureOf,
  linesOf,
  polled,
  sharedEndpoint,
  upload,
} from '../helpers/openai-endpoint.ts';
import { startServe } from '../helpers/serve.ts';
import { configYaml, makeDocuments, Workspace } from '../helpers/workspace.ts';
import { modelAndRedis } from './model-and-redis.ts';

const { model, redis } = await modelAndRedis();
const working = sharedEndpoint({ url: model.url, redis: redis.url });
const idle = sharedEndpoint({ url: model.url, redis: redis.url }, '--no-worker');

const ids = makeDocuments(100).map(({ id }) => id);

const BATCH_FIELDS = [
  'id object endpoint model errors input_file_id completion_window status output_file_id error_file_id created_at',
  'in_progress_at expires_at finalizing_at completed_at failed_at expired_at cancelling_at cancelled_at request_counts',
  'usage metadata',
].flatMap((names) => names.split(' '));

describe('the OpenAI-compatible endpoint, with the official client', () => {
  it('takes a file, answers it with a workflow, and gives both files', async () => {
    const endpoint = await working();
    const { client, workspace } = endpoint;
    model.answer = ({ document }) =>
      /Ticket (3|77):/.test(document) ? { content: 'no idea' } : { content: '{"label":"billing","confidence":0.9}' };
    const text = batchFile(100);
    const file = await upload(client, text);
    expect(file).toMatchObject({ object: 'file', filename: 'in.jsonl', purpose: 'batch' });
    expect(file.bytes).toBe(Buffer.byteLength(text));
    expect(file.expires_at).toBe(file.created_at + 30 * 24 * 3600);
    expect(await client.files.waitForProcessing(file.id)).toMatchObject({ status: 'processed' });

    const created = await client.batches.create({ ...CHAT, input_file_id: file.id, metadata: { team: 'night' } });
    expect(created).toMatchObject({ object: 'batch', status: 'validating', metadata: { team: 'night' } });
    expect(created._request_id).toMatch(/^req_/);
    expect(Object.keys(created)).toEqual(BATCH_FIELDS);
    expect(created.expires_at).toBe(created.created_at + 24 * 3600);
    const ended = await polled(client, created.id);
    expect(ended).toMatchObject({
      status: 'completed',
      model: 'triage',
      errors: null,
      request_counts: { total: 100, completed: 98, failed: 2 },
    });
    const times = [ended.created_at, ended.in_progress_at, ended.finalizing_at, ended.completed_at] as number[];
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times.every(Number.isInteger)).toBe(true);
    expect(ended.usage?.total_tokens).toBe((ended.usage?.input_tokens ?? 0) + (ended.usage?.output_tokens ?? 0));
    expect(ended.usage?.input_tokens).toBeGreaterThan(0);

    const output = await linesOf(client, ended.output_file_id);
    expect(output.map(({ custom_id }) => custom_id)).toEqual(ids.filter((id) => id !== 'doc-3' && id !== 'doc-77'));
    expect(output[0]).toMatchObject({
      id: expect.stringMatching(/^batch_req_/),
      error: null,
      response: {
        status_code: 200,
        request_id: expect.stringMatching(/^req_/),
        body: {
          object: 'chat.completion',
          model: 'triage',
          choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', refusal: null } }],
          nightmill: { model: 'small', tier: 0, calls: 1 },
        },
      },
    });
    const body = output[0]?.response?.body;
    expect(JSON.parse(body?.choices[0]?.message.content ?? '')).toEqual({ label: 'billing', confidence: 0.9 });
    expect(body?.usage?.total_tokens).toBe((body?.usage?.prompt_tokens ?? 0) + (body?.usage?.completion_tokens ?? 0));
    const errors = await linesOf(client, ended.error_file_id);
    expect(errors.map(({ custom_id }) => custom_id)).toEqual(['doc-3', 'doc-77']);
    expect(errors[0]).toMatchObject({
      error: null,
      response: { status_code: 400, body: { error: { type: 'invalid_request_error', code: 'invalid_json' } } },
    });
    expect(await client.files.retrieve(ended.output_file_id ?? '')).toMatchObject({
      purpose: 'batch_output',
      filename: `${created.id}_output.jsonl`,
    });
    expect(await workspace.status(created.id)).toMatchObject({ state: 'completed', workflow: 'triage' });
    const conflict = await failureOf(client.batches.cancel(created.id));
    expect(conflict).toMatchObject({ status: 409, code: null, type: 'invalid_request_error' });
    expect(conflict.message).toContain("Cannot cancel a batch with status 'completed'.");
  });

  it('lists with cursors, also while what is listed is deleted', async () => {
    const endpoint = await idle();
    const { client } = endpoint;
    const files: string[] = [];
    for (let index = 0; index < 5; index++) files.push((await upload(client, batchFile(2), `f${index}.jsonl`)).id);
    const seen: string[] = [];
    for await (const file of client.files.list({ limit: 2 })) seen.push(file.id);
    expect(seen).toEqual(files.toReversed());
    const page = await client.files.list({ limit: 2, order: 'asc', after: files[1] ?? '' });
    expect(page).toMatchObject({ has_more: true });
    expect(page.data.map(({ id }) => id)).toEqual(files.slice(2, 4));
    expect(await client.files.list({ purpose: 'vision' })).toMatchObject({ data: [], has_more: false });
    const batches: string[] = [];
    for (const input_file_id of files) batches.push((await client.batches.create({ ...CHAT, input_file_id })).id);
    const listed: string[] = [];
    for await (const batch of client.batches.list({ limit: 2 })) listed.push(batch.id);
    expect(listed).toEqual(batches.toReversed());
    for await (const file of client.files.list({ limit: 2 })) {
      expect(await client.files.delete(file.id)).toEqual({ id: file.id, object: 'file', deleted: true });
    }
    expect((await client.files.list()).data).toEqual([]);
    expect(await failureOf(client.files.retrieve(files[0] ?? ''))).toMatchObject({ status: 404, param: 'id' });
    expect(await failureOf(client.files.list({ after: 'file-none' }))).toMatchObject({ status: 404 });
    expect(await failureOf(client.batches.list({ after: 'batch_none' }))).toMatchObject({ status: 404 });
    expect(await failureOf(client.batches.list({ limit: 101 }))).toMatchObject({ code: 'integer_above_max_value' });
  });

  it('cancelled, keeps what is done and says of every other request that it was cancelled', async () => {
    const endpoint = await working();
    const { client } = endpoint;
    model.holdAfter(30);
    const { id } = await createBatch(client, batchFile(100));
    const running = await polled(client, id, ({ request_counts }) => (request_counts?.completed ?? 0) >= 8);
    expect(running.status).toBe('in_progress');
    expect(running.usage?.input_tokens).toBeGreaterThan(0);
    const cancelling = await client.batches.cancel(id);
    expect(cancelling).toMatchObject({ status: 'cancelling', cancelling_at: expect.any(Number) });
    expect(await client.batches.cancel(id)).toMatchObject({ cancelling_at: cancelling.cancelling_at });
    model.release();
    const ended = await polled(client, id);
    expect(ended).toMatchObject({ status: 'cancelled', cancelled_at: expect.any(Number), completed_at: null });
    expect(await client.batches.cancel(id)).toMatchObject({ status: 'cancelled' });
    const output = await linesOf(client, ended.output_file_id);
    const errors = await linesOf(client, ended.error_file_id);
    expect(ended.request_counts).toEqual({ total: 100, completed: output.length, failed: errors.length });
    expect(output.length).toBeGreaterThanOrEqual(8);
    expect(new Set([...output, ...errors].map(({ custom_id }) => custom_id)).size).toBe(100);
    expect(errors[0]).toMatchObject({ response: null, error: { code: 'batch_cancelled' } });
  });

  it('ends with what is done when its window is over', async () => {
    const endpoint = await working();
    const { client, workspace } = endpoint;
    // Four slices of eight are under way: with 30 answers at least two are whole.
    model.holdAfter(30);
    const { id, expires_at, created_at } = await createBatch(client, batchFile(60), { completion_window: '90m' });
    expect((expires_at ?? 0) - created_at).toBe(90 * 60);
    await polled(client, id, ({ request_counts }) => (request_counts?.completed ?? 0) >= 8);
    const { expiresAt } = await workspace.json<{ expiresAt: string }>(['status', id]);
    expect(Math.floor(Date.parse(expiresAt) / 1000)).toBe(expires_at);
    // Its time passes.
    const server = new Redis(redis.url);
    // The batch's money is under a name with the same end.
    const key = (await server.keys(`*:batch:${id}`)).find((name) => !name.includes(':scope:')) ?? '';
    await server.hset(key, 'expiresAt', Date.now());
    server.disconnect();
    await polled(client, id, ({ request_counts }) => (request_counts?.failed ?? 0) > 0);
    model.release();
    const ended = await polled(client, id);
    expect(ended).toMatchObject({ status: 'expired', expired_at: expect.any(Number), cancelled_at: null });
    const [output, errors] = [await linesOf(client, ended.output_file_id), await linesOf(client, ended.error_file_id)];
    expect(ended.request_counts).toEqual({ total: 60, completed: output.length, failed: errors.length });
    expect(errors[0]).toMatchObject({ response: null, error: { code: 'batch_expired' } });
  });

  it('joins the batches of several models under one id', async () => {
    const endpoint = await working();
    const { client, workspace } = endpoint;
    const text = batchFile(20, (index) => ({
      body: bodyOf(index % 4 === 0 ? 'digest' : 'triage', `Ticket ${index} is late.`),
    }));
    const { id } = await createBatch(client, text);
    const ended = await polled(client, id);
    expect(ended).toMatchObject({ status: 'completed', model: null, request_counts: { total: 20, completed: 20 } });
    const output = await linesOf(client, ended.output_file_id);
    const models = new Map(output.map(({ custom_id, response }) => [custom_id, response?.body.model]));
    expect([models.size, models.get('doc-4'), models.get('doc-5')]).toEqual([20, 'digest', 'triage']);
    expect(await workspace.status(`${id}.1`)).toMatchObject({ workflow: 'digest', documents: { total: 5 } });
    const { data } = await client.models.list();
    expect(data.map((each) => each.id)).toEqual(['triage', 'digest', 'summarize', 'classify', 'small', 'large']);
    expect(await client.models.retrieve('digest')).toMatchObject({ id: 'digest', object: 'model' });
    expect(await failureOf(client.models.retrieve('gpt-9'))).toMatchObject({ status: 404, code: 'model_not_found' });
  });

  it('makes one batch of a repeat with the same idempotency key', async () => {
    const endpoint = await idle();
    const { client } = endpoint;
    const { id: input_file_id } = await upload(client, batchFile(3));
    const headers = { 'Idempotency-Key': 'tonight' };
    const first = await client.batches.create({ ...CHAT, input_file_id }, { headers });
    expect((await client.batches.create({ ...CHAT, input_file_id }, { headers })).id).toBe(first.id);
    const inBody = { ...CHAT, input_file_id, idempotency_key: 'tonight' };
    expect((await client.batches.create(inBody)).id).toBe(first.id);
    const other = { ...CHAT, input_file_id, metadata: { a: 'b' } };
    expect(await failureOf(client.batches.create(other, { headers }))).toMatchObject({ status: 409 });
    expect((await client.batches.create({ ...CHAT, input_file_id })).id).not.toBe(first.id);
  });

  it('keeps tenants apart', async () => {
    const config = configYaml({ url: model.url, redis: redis.url, more: 'allowUnknownTenants: true' });
    await using workspace = await Workspace.make({ 'nightmill.yaml': config });
    const key = async (name: string, ...more: string[]) =>
      (await workspace.json<{ secret: string }>(['key', 'create', '--name', name, ...more])).secret;
    const [redKey, blueKey, readKey] = [
      await key('red', '--tenant', 'red'),
      await key('blue', '--tenant', 'blue'),
      await key('reader', '--tenant', 'red', '--rights', 'read'),
    ];
    const { url } = await startServe(workspace, '--host', '0.0.0.0');
    const red = clientOf(url, redKey);
    const blue = clientOf(url, blueKey);
    const wrong = await failureOf(clientOf(url, 'sk-placeholder').files.list());
    expect(wrong).toMatchObject({ status: 401, code: 'invalid_api_key', type: 'invalid_request_error' });
    const file = await upload(red, batchFile(3));
    const batch = await red.batches.create({ ...CHAT, input_file_id: file.id });
    expect(await failureOf(upload(clientOf(url, readKey), batchFile(3)))).toMatchObject({ status: 403 });
    expect(await failureOf(blue.files.retrieve(file.id))).toMatchObject({ status: 404 });
    expect(await failureOf(blue.files.content(file.id))).toMatchObject({ status: 404 });
    expect(await failureOf(blue.files.delete(file.id))).toMatchObject({ status: 404 });
    expect(await failureOf(blue.batches.retrieve(batch.id))).toMatchObject({ status: 404 });
    expect(await failureOf(blue.batches.cancel(batch.id))).toMatchObject({ status: 404 });
    expect([(await blue.files.list()).data, (await blue.batches.list()).data]).toEqual([[], []]);
    const stolen = await blue.batches.create({ ...CHAT, input_file_id: file.id });
    expect(await polled(blue, stolen.id)).toMatchObject({
      status: 'failed',
      errors: { data: [{ code: 'invalid_request', param: 'file_id', line: null }] },
    });
    const ended = await polled(red, batch.id);
    expect(ended).toMatchObject({ status: 'completed' });
    expect(await failureOf(blue.files.content(ended.output_file_id ?? ''))).toMatchObject({ status: 404 });
    expect(await workspace.status(batch.id)).toMatchObject({ tenant: 'red' });
    const audit = await workspace.json<{ who: string; action: string }[]>(['audit']);
    expect(audit).toContainEqual(expect.objectContaining({ who: 'red', action: 'batch:submit', target: batch.id }));
  });
});
