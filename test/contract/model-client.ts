import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { ProviderClientOptions } from '../../src/adapters/provider-http/client-options.ts';
import type { ModelClient, ModelRequest } from '../../src/providers/model-client.ts';
import { MAX_RETRY_AFTER_MS } from '../../src/providers/read-retry-wait.ts';
import { bodyText, ERROR_SAMPLES, type ProviderApi } from '../helpers/provider-errors.ts';
import { ProviderServers, sendJson } from '../helpers/provider-server.ts';
import { API_KEY, CAPABILITIES, failureOf, REQUEST } from './model-client-fixture.ts';

/** What one API answers; `contract` asserts the same of all of them. */
export interface ModelClientContract {
  readonly api: ProviderApi;
  create(options: ProviderClientOptions): ModelClient;
  /** What the base URL has behind the origin. */
  readonly basePath: string;
  /** The header that carries the key, and what it holds. */
  readonly keyHeader: { readonly name: string; value(apiKey: string): string };
  /** `Hello`; 20 tokens in, 16 of them cached; 7 out, 3 of them reasoning. */
  readonly reply: Readonly<Record<string, unknown>>;
  /** The name of the usage in a body. */
  readonly usageField: string;
  /** Cut off by the cap. */
  readonly truncated: unknown;
  /** The model or a filter declined, with a usage. */
  readonly refusals: readonly (readonly [name: string, body: unknown])[];
  /** No answer in it, but the usage of `reply`. */
  readonly withoutAnswer: unknown;
}

const USAGE = { inputTokens: 20, cachedInputTokens: 16, outputTokens: 7, reasoningTokens: 3 };

export function describeModelClient(name: string, contract: ModelClientContract): void {
  describe(`${name} as a model client`, () => {
    let servers = new ProviderServers();
    const clients: ModelClient[] = [];
    afterEach(async () => {
      for (const client of clients.splice(0)) await client.close();
      await servers[Symbol.asyncDispose]();
      servers = new ProviderServers();
    });

    function open(origin: string, options: Partial<ProviderClientOptions> = {}): ModelClient {
      const baseUrl = origin + contract.basePath;
      const client = contract.create({
        name: 'acme',
        baseUrl,
        apiKey: API_KEY,
        capabilities: CAPABILITIES,
        ...options,
      });
      clients.push(client);
      return client;
    }

    const call = (client: ModelClient, request: Partial<ModelRequest> = {}, signal = new AbortController().signal) =>
      client.call({ ...REQUEST, ...request }, signal);
    const answer = async (body: unknown, headers: Record<string, string> = {}) =>
      call(open(await servers.answering(body, 200, headers)));
    const failure = async (body: unknown, status = 200, headers: Record<string, string> = {}) =>
      failureOf(call(open(await servers.answering(body, status, headers))));

    test('call() reads text, finish, usage and duration', async () => {
      const { text, finish, usage, rawUsage, durationMs } = await answer(contract.reply);
      expect({ text, finish, usage }).toEqual({ text: 'Hello', finish: 'stop', usage: USAGE });
      expect(rawUsage).toEqual(contract.reply[contract.usageField]);
      expect(durationMs).toBeGreaterThan(0);
    });

    test('call() makes one POST with the key in its header and nowhere else', async () => {
      const { origin, seen } = await servers.recording(contract.reply);
      await call(open(origin));
      expect(seen).toHaveLength(1);
      const [{ method, url, headers, body }] = seen as [(typeof seen)[number]];
      const { [contract.keyHeader.name]: key, ...others } = headers;
      expect(method).toBe('POST');
      expect(headers['content-type']).toBe('application/json');
      expect(key).toBe(contract.keyHeader.value(API_KEY));
      expect(JSON.stringify([url, others, body])).not.toContain(API_KEY);
    });

    test('call() sends equal bytes for equal requests', async () => {
      const { origin, seen } = await servers.recording(contract.reply);
      const client = open(origin);
      for (let n = 0; n < 2; n += 1) await call(client);
      expect(seen[0]?.body).toBe(seen[1]?.body);
    });

    test("call() keeps the base URL's query and lets the config's headers win", async () => {
      const { origin, seen } = await servers.recording(contract.reply);
      const baseUrl = `${origin}${contract.basePath}/?region=eu`;
      await call(open(origin, { baseUrl, headers: { [contract.keyHeader.name.toUpperCase()]: 'of the config' } }));
      expect(seen[0]?.url).toMatch(/[^/]\?region=eu$/);
      expect(seen[0]?.headers[contract.keyHeader.name]).toBe('of the config');
    });

    test('call() sends no key header for an empty key', async () => {
      const { origin, seen } = await servers.recording(contract.reply);
      await call(open(origin, { apiKey: '' }));
      expect(seen[0]?.headers).not.toHaveProperty(contract.keyHeader.name);
    });

    test('call() sends a temperature only where the endpoint takes one', async () => {
      const { origin, seen } = await servers.recording(contract.reply);
      await call(open(origin), { temperature: 0.5 });
      await call(open(origin, { capabilities: { ...CAPABILITIES, temperature: false } }), { temperature: 0.5 });
      expect(seen[0]?.body).toContain('"temperature":0.5');
      expect(seen[1]?.body).not.toContain('temperature');
    });

    test('call() says that a reply was cut off by its cap', async () => {
      expect(await answer(contract.truncated)).toMatchObject({ finish: 'length' });
    });

    test.each(contract.refusals)('call() says that the provider declined: %s', async (_name, body) => {
      const reply = await answer(body);
      expect(reply.finish).toBe('refusal');
      expect(reply.usage?.inputTokens).toBeGreaterThan(0);
    });

    test.each([
      ['absent', undefined],
      ['null', null],
      ['empty', {}],
      ['text', 'many'],
    ])('call() has no usage where the usage is %s', async (_name, usage) => {
      expect(await answer({ ...contract.reply, [contract.usageField]: usage })).not.toHaveProperty('usage');
    });

    test('call() keeps the limit headers and the id of the request', async () => {
      const reply = await answer(contract.reply, {
        'x-request-id': 'req-1',
        'X-RateLimit-Remaining-Tokens': '900',
        'anthropic-ratelimit-requests-limit': '5',
        'x-tokenlimit-limit': '7',
        'x-other': 'no',
      });
      expect(reply.requestId).toBe('req-1');
      expect(reply.rateLimitHeaders).toEqual({
        'x-ratelimit-remaining-tokens': '900',
        'anthropic-ratelimit-requests-limit': '5',
        'x-tokenlimit-limit': '7',
      });
    });

    for (const sample of ERROR_SAMPLES.filter(({ api }) => api === contract.api)) {
      test(`call() fails with ${sample.failure} on HTTP ${sample.status}: ${sample.name}`, async () => {
        const error = await failure(bodyText(sample), sample.status, sample.headers);
        expect(error).toMatchObject({ failure: sample.failure, status: sample.status });
        expect(error.providerCode).toBe(sample.providerCode);
        expect(error.retryAfterMs).toBe(sample.retryAfterMs);
        expect(error.billing).toBe([502, 504, 524].includes(sample.status) ? 'unknown' : 'none');
        expect(error.message).toContain(`HTTP ${sample.status}`);
      });
    }

    test.each([
      { 'retry-after': 'NaN' },
      { 'retry-after': '-1' },
      { 'retry-after': '1e99' },
      { 'retry-after': '9'.repeat(400) },
      { 'retry-after-ms': 'Infinity' },
      { 'retry-after': 'Fri, 31 Dec 9999 23:59:59 GMT' },
      { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': `${'9'.repeat(300)}h` },
      { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '1h'.repeat(2000) },
      { 'anthropic-ratelimit-tokens-remaining': '0', 'anthropic-ratelimit-tokens-reset': '9999-12-31T23:59:59Z' },
    ])('call() bounds or drops the waits of hostile headers (%#)', async (headers) => {
      const { retryAfterMs } = await failure('', 429, headers as Record<string, string>);
      if (retryAfterMs !== undefined) {
        expect(retryAfterMs).toBeGreaterThanOrEqual(0);
        expect(retryAfterMs).toBeLessThanOrEqual(MAX_RETRY_AFTER_MS);
      }
    });

    test.each([
      ['an HTML page', '<html>login</html>', /is not JSON; it starts: <html>login/],
      ['an empty body', '', /is not JSON/],
      ['half a body', JSON.stringify(contract.reply).slice(0, 40), /is not JSON/],
      ['null', 'null', /holds no /],
      ['a list', '[1]', /holds no /],
      ['an error', { error: { message: 'Upstream failed' } }, /Upstream failed/],
    ])('call() fails on %s with status 200, with unknown billing', async (_name, body, message) => {
      const error = await failure(body);
      expect(error).toMatchObject({ failure: 'invalid_reply', billing: 'unknown', usage: undefined });
      expect(error.message).toMatch(message);
    });

    test('call() says what was billed where a reply has a usage and no answer', async () => {
      const error = await failure(contract.withoutAnswer);
      expect(error).toMatchObject({ failure: 'invalid_reply', billing: 'billed', usage: USAGE });
    });

    test('call() cuts off a reply that is too long', async () => {
      const origin = await servers.answering('x'.repeat(100_000));
      const error = await failureOf(call(open(origin, { maxReplyBytes: 1000 })));
      expect(error).toMatchObject({ failure: 'invalid_reply', billing: 'unknown' });
      expect(error.message).toContain('is longer than 1000 bytes');
    });

    test.each([
      ['reset before headers', (socket: Socket) => socket.resetAndDestroy()],
      [
        'cut off in the body',
        (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"choices'),
      ],
    ] as const)(
      'call() does not know the bill of a connection %s, and sends nothing twice',
      async (_name, onRequest) => {
        let requests = 0;
        const origin = await servers.tcp((socket) => {
          requests += 1;
          onRequest(socket);
        });
        expect(await failureOf(call(open(origin)))).toMatchObject({ failure: 'connection_lost', billing: 'unknown' });
        expect(requests).toBe(1);
      },
    );

    test('call() bills nothing where nobody listens', async () => {
      const error = await failureOf(call(open(await servers.deadOrigin())));
      expect(error).toMatchObject({ failure: 'unreachable', billing: 'none' });
      expect(error.message).toMatch(/^Cannot reach provider acme at http:/);
    });

    test('call() gives up after its time and may have been billed', async () => {
      const origin = await servers.http(() => {});
      const error = await failureOf(call(open(origin, { timeoutMs: 60 })));
      expect(error).toMatchObject({ failure: 'timeout', billing: 'unknown' });
    });

    test('call() with an aborted signal sends nothing', async () => {
      const { origin, seen } = await servers.recording(contract.reply);
      const error = await failureOf(call(open(origin), {}, AbortSignal.abort()));
      expect(error).toMatchObject({ failure: 'aborted', billing: 'none' });
      expect(seen).toEqual([]);
    });

    test('call() aborted before it was sent bills nothing, and the next call works', async () => {
      const { origin, seen } = await servers.recording(contract.reply);
      const client = open(origin);
      const aborter = new AbortController();
      const aborted = failureOf(call(client, {}, aborter.signal));
      aborter.abort();
      expect(await aborted).toMatchObject({ failure: 'aborted', billing: 'none' });
      expect((await call(client)).text).toBe('Hello');
      expect(seen).toHaveLength(1);
    });

    test('call() aborted after it was sent may be billed', async () => {
      const arrived = Promise.withResolvers<void>();
      const origin = await servers.http(() => arrived.resolve());
      const aborter = new AbortController();
      const aborted = failureOf(call(open(origin), {}, aborter.signal));
      await arrived.promise;
      aborter.abort();
      expect(await aborted).toMatchObject({ failure: 'aborted', billing: 'unknown' });
    });

    test('close() ends calls under way, may come twice, and later calls fail unsent', async () => {
      const arrived = Promise.withResolvers<void>();
      const client = open(await servers.http(() => arrived.resolve()));
      const ended = failureOf(call(client));
      await arrived.promise;
      await client.close();
      await client.close();
      expect(await ended).toMatchObject({ failure: 'aborted', billing: 'unknown' });
      expect(await failureOf(call(client))).toMatchObject({ failure: 'aborted', billing: 'none' });
    });

    test.each([
      ['in the message of an error', 401, { error: { message: `bad key ${API_KEY}!` } }],
      ['in the code of an error', 400, { error: { message: 'm', code: API_KEY, type: API_KEY, status: API_KEY } }],
      ['in the details of an error', 429, { error: { message: 'm', details: [{ reason: API_KEY }] } }],
      ['in a page', 502, `<html>${' '.repeat(1190)}${API_KEY}</html>`],
      ['in a reply without an answer', 200, { id: API_KEY, responseId: API_KEY, echo: API_KEY }],
      ['in what is not JSON', 200, `you sent ${API_KEY}`],
    ])('call() leaks no key that the server sends back %s', async (_name, status, body) => {
      const headers = { 'x-request-id': API_KEY, 'request-id': API_KEY, 'x-ratelimit-owner': API_KEY };
      expect((await failure(body, status, headers)).message).not.toContain(API_KEY.slice(0, 8));
    });

    test('call() leaks no key from a header of the config, with or without its scheme', async () => {
      const headers = { 'X-Gateway': 'Token gateway-secret-42' };
      const body = { error: { message: 'refused: gateway-secret-42 (Token gateway-secret-42)' } };
      const origin = await servers.answering(body, 403);
      const error = await failureOf(call(open(origin, { headers })));
      expect(error.message).toContain('refused: *** (***)');
    });

    test('call() leaks no key in an answer that is not HTTP', async () => {
      const origin = await servers.tcp((socket) => socket.end(`${API_KEY} is not HTTP\r\n\r\n`));
      expect(await failureOf(call(open(origin)))).toMatchObject({ failure: 'invalid_reply', billing: 'unknown' });
    });

    test('call() reads a body cut inside a character', async () => {
      const bytes = Buffer.from(JSON.stringify(contract.reply).replace('Hello', 'Grüße'));
      const cut = bytes.indexOf('ü') + 1;
      const origin = await servers.http((_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.write(bytes.subarray(0, cut), () => response.end(bytes.subarray(cut)));
      });
      expect((await call(open(origin))).text).toBe('Grüße');
    });

    test.each(['ftp://x/v1', 'not a url', '', 'https://user:hunter2@host/v1'])(
      'the factory refuses the base URL "%s" and repeats no password',
      (baseUrl) => {
        const create = () => contract.create({ name: 'acme', baseUrl, capabilities: CAPABILITIES });
        expect(create).toThrow(/Provider acme has/);
        expect(create).not.toThrow(/hunter2/);
      },
    );

    test('the factory refuses a key with a line break and does not repeat it', () => {
      const create = () =>
        contract.create({ name: 'acme', baseUrl: 'http://x', apiKey: 'abcdef\n', capabilities: CAPABILITIES });
      expect(create).toThrow(/cannot send the header/);
      expect(create).not.toThrow(/abcdef/);
    });

    test('call() uses one connection again', async () => {
      let connections = 0;
      const server = createServer((_request, response) => sendJson(response, contract.reply));
      server.on('connection', () => {
        connections += 1;
      });
      const client = open(await servers.listen(server));
      for (let n = 0; n < 3; n += 1) {
        await call(client);
        // A connection is free one turn of the event loop after its reply.
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(connections).toBe(1);
    });
  });
}
