import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import type OpenAI from 'openai';
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
import type { Workspace } from '../helpers/workspace.ts';
import { modelAndRedis } from './model-and-redis.ts';

const { model, redis } = await modelAndRedis();
const working = sharedEndpoint({ url: model.url, redis: redis.url });
const idle = sharedEndpoint({ url: model.url, redis: redis.url }, '--no-worker');

type Answer = Readonly<Record<'id' | 'expires_at' | 'created_at', never>>;

const JSON_TYPE = { 'content-type': 'application/json' };

/** A form as Python's client sends it: one body of a known length, the fields first and the file last. */
function pythonForm(
  fields: Readonly<Record<string, string>>,
  text: string,
): { headers: Record<string, string>; body: Buffer } {
  const boundary = '5a1f0f6b8a5c4f2e9d3b7c6a1e0f9d8c';
  const parts = Object.entries(fields).map(
    ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const file = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="in.jsonl"\r\nContent-Type: application/octet-stream\r\n\r\n${text}\r\n`;
  return {
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    body: Buffer.from(`${parts.join('')}${file}--${boundary}--\r\n`),
  };
}

/** Newest first. */
async function fileIds(client: OpenAI): Promise<readonly string[]> {
  return (await client.files.list()).data.map(({ id }) => id);
}

async function storedIds(workspace: Workspace): Promise<readonly string[]> {
  return (await readdir(workspace.path('.nightmill/store/files'))).sort();
}

describe("the OpenAI-compatible endpoint, with other clients' requests", () => {
  it('takes those of the Python client as they are', async () => {
    const endpoint = await working();
    const { url, client } = endpoint;
    model.holdAfter(2);
    const call = async (method: string, path: string, init: RequestInit = {}) => {
      const response = await fetch(`${url}/v1${path}`, { method, ...init });
      return { status: response.status, body: (await response.json()) as Answer };
    };
    const fields = { purpose: 'batch', 'expires_after[anchor]': 'created_at', 'expires_after[seconds]': '3600' };
    const file = await call('POST', '/files', pythonForm(fields, batchFile(20)));
    expect(file).toMatchObject({ status: 200, body: { bytes: Buffer.byteLength(batchFile(20)), status: 'processed' } });
    expect(file.body.expires_at - file.body.created_at).toBe(3600);
    const asked = { ...CHAT, input_file_id: file.body.id, idempotency_key: 'k' };
    const created = await call('POST', '/batches', { headers: JSON_TYPE, body: JSON.stringify(asked) });
    expect(created).toMatchObject({ status: 200, body: { status: 'validating' } });
    // An empty body with a JSON type.
    const cancelled = await call('POST', `/batches/${created.body.id}/cancel`, { headers: JSON_TYPE, body: '' });
    expect(cancelled).toMatchObject({ status: 200, body: { status: 'cancelling' } });
    model.release();
    expect(await polled(client, created.body.id)).toMatchObject({ status: 'cancelled' });
  });

  it("takes those of Azure's clients", async () => {
    const endpoint = await working();
    const { url, client } = endpoint;
    const azure = async (method: string, path: string, init: RequestInit = {}) => {
      const headers = { 'api-key': 'azure-placeholder', ...init.headers };
      return (await (await fetch(`${url}${path}`, { method, ...init, headers })).json()) as Answer;
    };
    const form = pythonForm(
      { purpose: 'batch' },
      batchFile(3, () => ({ url: '/chat/completions' })),
    );
    const file = await azure('POST', '/openai/files?api-version=2024-10-21', form);
    const asked = { endpoint: '/chat/completions', completion_window: '24h', input_file_id: file.id };
    const created = await azure('POST', '/openai/v1/batches', { headers: JSON_TYPE, body: JSON.stringify(asked) });
    expect(await polled(client, created.id)).toMatchObject({ status: 'completed', endpoint: '/chat/completions' });
    expect(await azure('GET', `/openai/batches/${created.id}?api-version=2024-10-21`)).toMatchObject({
      id: created.id,
    });
    expect(await azure('GET', '/openai/v1/models')).toMatchObject({ object: 'list' });
  });

  it('refuses what cannot become a batch, in the words of OpenAI', async () => {
    const endpoint = await idle();
    const { client, url } = endpoint;
    const known = await fileIds(client);
    const { id: input_file_id } = await upload(client, batchFile(2));
    const refused = async (more: object) =>
      await failureOf(client.batches.create({ ...CHAT, input_file_id, ...more } as never));
    const table: readonly [object, string, string | null, string][] = [
      [
        { input_file_id: undefined },
        'missing_required_parameter',
        'input_file_id',
        "Missing required parameter: 'input_file_id'.",
      ],
      [
        { endpoint: '/v1/nothing' },
        'invalid_value',
        'endpoint',
        "Invalid value: '/v1/nothing'. Supported values are: '/v1/chat/completions'.",
      ],
      [
        { completion_window: 'soon' },
        'invalid_value',
        'completion_window',
        "Invalid value: 'soon'. Supported values are: '24h'",
      ],
      [{ completion_window: '0h' }, 'invalid_value', 'completion_window', "Invalid value: '0h'."],
      [
        { metadata: { tags: ['a'] } },
        'invalid_type',
        'metadata.tags',
        "Invalid type for 'metadata.tags': expected a string, but got an array instead.",
      ],
      [{ metadata: { long: 'x'.repeat(513) } }, 'string_above_max_length', 'metadata.long', 'maximum length 512'],
      [
        { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, ''])) },
        'object_above_max_properties',
        'metadata',
        '17 properties',
      ],
      [
        { output_expires_after: { anchor: 'created_at', seconds: 60 } },
        'integer_below_min_value',
        'output_expires_after.seconds',
        '>= 3600',
      ],
    ];
    for (const [more, code, param, message] of table) {
      const failure = await refused(more);
      expect(failure).toMatchObject({ status: 400, type: 'invalid_request_error', code, param });
      expect(failure.message).toContain(message);
    }
    const text = await failureOf(upload(client, 'a', 'in.txt'));
    expect(text).toMatchObject({ status: 400, code: null, param: null });
    expect(text.message).toContain('Invalid file format for Batch API. Must be .jsonl');
    const other = await failureOf(client.files.create({ file: new File(['{}'], 'a.jsonl'), purpose: 'vision' }));
    expect(other).toMatchObject({ status: 400, code: 'invalid_value', param: 'purpose' });
    expect(await failureOf(client.batches.retrieve('batch_none'))).toMatchObject({ status: 404, code: null });
    expect(await failureOf(client.batches.cancel('batch_none'))).toMatchObject({ status: 404 });
    const bad = await fetch(`${url}/v1/batches`, { method: 'POST', headers: JSON_TYPE, body: '{"a"' });
    expect([bad.status, await bad.json()]).toMatchObject([400, { error: { type: 'invalid_request_error' } }]);
    const form = { method: 'POST', body: new URLSearchParams({ a: 'b' }) };
    expect((await fetch(`${url}/v1/batches`, form)).status).toBe(415);
    const empty = { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: '' };
    expect((await fetch(`${url}/v1/batches/batch_none/cancel`, empty)).status).toBe(404);
    const nowhere = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers: JSON_TYPE, body: '{}' });
    expect([nowhere.status, await nowhere.json()]).toMatchObject([
      404,
      { error: { message: 'Invalid URL (POST /v1/chat/completions)' } },
    ]);
    expect(await fileIds(client)).toEqual([input_file_id, ...known]);
    expect(await storedIds(endpoint.workspace)).toEqual([input_file_id, ...known].sort());
  });

  it('fails a batch whose file has bad lines, and names each of them', async () => {
    const endpoint = await idle();
    const { client } = endpoint;
    const changes: Readonly<Record<number, Record<string, unknown>>> = {
      1: { custom_id: undefined },
      2: { url: '/v1/embeddings' },
      3: { body: { ...bodyOf('triage', 'x'), stream: true } },
      4: { body: bodyOf('gpt-9', 'x') },
      5: { custom_id: 'doc-0' },
    };
    const text = `${batchFile(6, (index) => changes[index] ?? {})}{nothing\n`;
    const { id } = await createBatch(client, text);
    const failed = await polled(client, id);
    expect(failed).toMatchObject({ status: 'failed', failed_at: expect.any(Number), output_file_id: null });
    expect(failed.errors?.data?.map(({ code, line, param }) => [line, code, param])).toEqual([
      [2, 'missing_required_parameter', 'custom_id'],
      [3, 'invalid_url', 'url'],
      [4, 'streaming_unsupported', 'body.stream'],
      [5, 'model_not_found', 'body.model'],
      [6, 'duplicate_custom_id', 'custom_id'],
      [7, 'invalid_json_line', null],
    ]);
    expect(await failureOf(client.batches.cancel(id))).toMatchObject({ status: 409 });
    const missing = await client.batches.create({ ...CHAT, input_file_id: 'file-nonexistent-xyz' });
    const { errors } = await polled(client, missing.id);
    expect(errors?.data?.[0]?.message).toMatch(/^Cannot find file file-nonexistent-xyz, or organization \S+ does not/);
    expect(await endpoint.workspace.json(['status'])).toEqual([]);
  });

  it('keeps nothing of an upload that was cut off', async () => {
    const endpoint = await idle();
    const { client, url, workspace } = endpoint;
    const known = await fileIds(client);
    const { body, headers } = pythonForm({ purpose: 'batch' }, batchFile(200));
    const { 'content-type': type } = headers;
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    const head = `POST /v1/files HTTP/1.1\r\nHost: ${hostname}:${port}\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`;
    socket.write(Buffer.concat([Buffer.from(head), body.subarray(0, body.length / 2)]));
    socket.destroy();
    await once(socket, 'close');
    const whole = await upload(client, batchFile(2));
    expect(await fileIds(client)).toEqual([whole.id, ...known]);
    expect(await (await client.files.content(whole.id)).text()).toBe(batchFile(2));
    expect(await storedIds(workspace)).toEqual([whole.id, ...known].sort());
  });

  it('continues with a batch where another server was killed', async () => {
    // The last test of this server.
    const { client, cli, workspace } = await working();
    const { id } = await createBatch(client, batchFile(60));
    cli.kill('SIGKILL');
    await cli.exited;
    const second = clientOf((await startServe(workspace)).url);
    const ended = await polled(second, id);
    expect(ended).toMatchObject({ status: 'completed', request_counts: { total: 60, completed: 60, failed: 0 } });
    expect(await linesOf(second, ended.output_file_id)).toHaveLength(60);
  });
});
