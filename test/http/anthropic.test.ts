import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestServer, type TestServer } from '../helpers/http-server.ts';
import { startTcpRedis, type TcpRedis } from '../helpers/tcp-redis.ts';

const MAX_LINE_BYTES = 1_000_000;

let redis: TcpRedis;
let server: TestServer;

beforeAll(async () => {
  redis = await startTcpRedis();
  server = await openTestServer({
    redis: redis.url,
    change: (app) => ({
      ...app,
      config: { ...app.config, ingest: { ...app.config.ingest, maxLineBytes: MAX_LINE_BYTES } },
    }),
  });
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

function requestOf(id: string, text = 'Hi'): object {
  return { custom_id: id, params: { model: 'small', max_tokens: 64, messages: [{ role: 'user', content: text }] } };
}

async function post(body: RequestInit['body']) {
  const headers = { 'content-type': 'application/json' };
  return await server.call('POST', '/v1/messages/batches', { headers, body, duplex: 'half' } as RequestInit);
}

async function storedFiles(): Promise<readonly string[]> {
  return await readdir(join(server.folder, 'store', 'files')).catch(() => []);
}

describe('a body of message requests', () => {
  it('may be larger than memory would bear many of, and come in pieces', async () => {
    const spaces = new Uint8Array(1024 * 1024).fill(0x20);
    async function* pieces(): AsyncGenerator<Uint8Array, void, undefined> {
      for (let index = 0; index < 33; index++) yield spaces;
      const json = Buffer.from(JSON.stringify({ requests: [requestOf('a'), requestOf('b', 'ö'.repeat(70_000))] }));
      for (let at = 0; at < json.length; at += 10_001) yield json.subarray(at, at + 10_001);
    }
    const made = await post(ReadableStream.from(pieces()) as unknown as RequestInit['body']);
    expect(made, made.text).toMatchObject({ status: 200, body: { request_counts: { processing: 2 } } });
  });

  it('that is refused leaves nothing in the store, and is refused for what is wrong with it', async () => {
    const before = await storedFiles();
    const good = JSON.stringify(requestOf('a'));
    const cases: readonly (readonly [string, RegExp])[] = [
      ['', /^requests: Field required/],
      ['{"requests": 7}', /^requests: Field required/],
      [`{"requests":[${good}`, /^The body is not valid JSON/],
      [`{"requests":[${good},{]}`, /^The body is not valid JSON/],
      [`[${good}]`, /^The body is not valid JSON/],
      [`{"requests":[${good},7]}`, /^requests\.1\.custom_id: Field required/],
      [`{"requests":[${good},${good}], "more": ${'['.repeat(9)}${']'.repeat(9)}}`, /^requests\.1\.custom_id: "a" is/],
    ];
    for (const [body, message] of cases) {
      const { status, body: told } = await post(body);
      expect(status, body).toBe(400);
      expect(told.error.message).toMatch(message);
    }
    expect(await storedFiles()).toEqual(before);
  });

  it('with one request over the size of a document names it', async () => {
    const { status, body } = await post(
      JSON.stringify({ requests: [requestOf('a'), requestOf('b', 'x'.repeat(MAX_LINE_BYTES))] }),
    );
    expect(status).toBe(400);
    expect(body.error.message).toBe(`requests.1: it has more than ${MAX_LINE_BYTES} bytes, the most in one request`);
  });
});
