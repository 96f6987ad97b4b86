import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createRawServer, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { createOpenAiClient } from '../../src/adapters/openai-compatible/client.ts';
import { parseUsage } from '../../src/adapters/openai-compatible/parse-usage.ts';
import type { ProviderClientOptions } from '../../src/adapters/provider-http/client-options.ts';
import type { ModelClient, ModelRequest } from '../../src/providers/model-client.ts';
import { API_KEY, CAPABILITIES, failureOf, REQUEST } from '../contract/model-client.ts';
import { ProviderServers, sendJson } from '../helpers/provider-server.ts';

// What every provider's client does is tested in `openai-contract.test.ts`.

const COMPLETION = {
  id: 'chatcmpl-1',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
  usage: {
    prompt_tokens: 20,
    completion_tokens: 7,
    total_tokens: 27,
    prompt_tokens_details: { cached_tokens: 16 },
    completion_tokens_details: { reasoning_tokens: 3 },
  },
};

const servers = new ProviderServers();
const clients: ModelClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  await servers[Symbol.asyncDispose]();
});

function open(baseUrl: string, options: Partial<ProviderClientOptions> = {}): ModelClient {
  const client = createOpenAiClient({ name: 'acme', baseUrl, apiKey: API_KEY, capabilities: CAPABILITIES, ...options });
  clients.push(client);
  return client;
}

/** A client of a server that answers every call in this way. */
async function openAgainst(
  listener: RequestListener,
  options: Partial<ProviderClientOptions> = {},
): Promise<ModelClient> {
  return open(`${await servers.http(listener)}/v1`, options);
}

/** A client of a TCP server that gets each connection's socket once a request has arrived on it. */
async function openAgainstRaw(onRequest: (socket: Socket) => void): Promise<ModelClient> {
  return open(`${await servers.tcp(onRequest)}/v1`);
}

function call(client: ModelClient, request: Partial<ModelRequest> = {}, signal = new AbortController().signal) {
  return client.call({ ...REQUEST, ...request }, signal);
}

const answering = async (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  open(`${await servers.answering(body, status, headers)}/v1`);

const answeringChoice = (choice: unknown) => answering({ ...COMPLETION, choices: [choice] });

describe('request', () => {
  async function sent(request: Partial<ModelRequest>, options: Partial<ProviderClientOptions> = {}, path = '/v1') {
    const { origin, seen } = await servers.recording(COMPLETION);
    await call(open(origin + path, options), request);
    return seen[0]!;
  }

  test('call() sends the smallest body with its keys in a fixed order', async () => {
    const { url, body } = await sent({});
    expect(url).toBe('/v1/chat/completions');
    expect(body).toBe(
      '{"model":"small-2026-01-01","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Grüße"}],"max_tokens":50}',
    );
  });

  test('call() sends temperature, schema and logprobs when asked', async () => {
    const schema = { type: 'object', properties: { label: { type: 'string' } } };
    const { body } = await sent({
      temperature: 0,
      responseFormat: { kind: 'json_schema', name: 'answer', schema },
      logprobs: true,
    });
    expect(body).toContain(
      '"max_tokens":50,"temperature":0,"response_format":{"type":"json_schema","json_schema":{"name":"answer","strict":true,"schema":{"type":"object","properties":{"label":{"type":"string"}}}}},"logprobs":true,"top_logprobs":5}',
    );
  });

  test('call() caps the reply in the field that the endpoint knows', async () => {
    const { body } = await sent({}, { capabilities: { ...CAPABILITIES, maxTokensField: 'max_completion_tokens' } });
    expect(JSON.parse(body)).toMatchObject({ max_completion_tokens: 50 });
    expect(body).not.toContain('"max_tokens"');
  });

  test('call() keeps the query of the base URL, adds headers and lets them win', async () => {
    const headers = { 'API-Key': 'azure-key', Authorization: 'Custom token' };
    const seen = await sent({}, { headers }, '/deployments/d/?api-version=2024-10-21');
    expect(seen.url).toBe('/deployments/d/chat/completions?api-version=2024-10-21');
    expect(seen.headers).toMatchObject({ 'api-key': 'azure-key', authorization: 'Custom token' });
  });

  test('call() takes the name behind a deployment of Azure for no other model', async () => {
    const { origin } = await servers.recording({ ...COMPLETION, model: 'gpt-4o-2024-08-06' });
    expect(await call(open(origin), {})).toMatchObject({ model: 'gpt-4o-2024-08-06' });
    expect(await call(open(origin, { authHeader: 'api-key', apiKey: 'key' }), {})).not.toHaveProperty('model');
  });

  test('createOpenAiClient() refuses credentials in the URL and does not repeat them', () => {
    const create = () =>
      createOpenAiClient({ name: 'acme', baseUrl: 'https://user:hunter2@host/v1', capabilities: CAPABILITIES });
    expect(create).toThrow(/use apiKey or headers/);
    expect(create).not.toThrow(/hunter2/);
  });
});

describe('reply', () => {
  test('call() reads text, finish, usage, ids, limits and duration', async () => {
    const client = await answering(COMPLETION, 200, {
      'x-request-id': 'req-1',
      'X-RateLimit-Remaining-Tokens': '900',
      'anthropic-ratelimit-requests-limit': '5',
      'retry-after': '2',
      'x-other': 'no',
    });
    const { durationMs, ...rest } = await call(client);
    expect(rest).toEqual({
      text: 'Hello',
      finish: 'stop',
      usage: { inputTokens: 20, cachedInputTokens: 16, outputTokens: 7, reasoningTokens: 3 },
      rawUsage: COMPLETION.usage,
      requestId: 'req-1',
      rateLimitHeaders: {
        'x-ratelimit-remaining-tokens': '900',
        'anthropic-ratelimit-requests-limit': '5',
        'retry-after': '2',
      },
    });
    expect(durationMs).toBeGreaterThan(0);
  });

  test("call() takes the body's id where no header names the request", async () => {
    expect((await call(await answering(COMPLETION))).requestId).toBe('chatcmpl-1');
  });

  test.each([
    ['stop', 'stop'],
    ['eos', 'stop'],
    ['length', 'length'],
    ['model_length', 'length'],
    ['content_filter', 'refusal'],
    ['tool_calls', 'other'],
    ['constructor', 'other'],
    [null, 'other'],
    [undefined, 'other'],
  ])('call() reads finish reason %s as %s', async (reason, expected) => {
    const client = await answeringChoice({ message: { content: 'x' }, finish_reason: reason });
    expect((await call(client)).finish).toBe(expected);
  });

  test.each(['error', 'network_error', 'insufficient_system_resource', 'abort'])(
    'call() fails where the server stopped with %s, whole as the content may look',
    async (reason) => {
      const client = await answeringChoice({ message: { content: '{"label":"bug"}' }, finish_reason: reason });
      await expect(call(client)).rejects.toMatchObject({ failure: 'invalid_reply' });
    },
  );

  test.each([
    ['null', null, ''],
    ['absent', undefined, ''],
    [
      'parts',
      [{ type: 'thinking', thinking: [] }, { type: 'text', text: 'a' }, { type: 'text', text: 'b' }, null],
      'ab',
    ],
  ])('call() reads content that is %s', async (_name, content, expected) => {
    const client = await answeringChoice({ message: { content }, finish_reason: 'stop' });
    expect((await call(client)).text).toBe(expected);
  });

  test('call() reads a refusal in its own field', async () => {
    const client = await answeringChoice({ message: { content: null, refusal: 'I cannot.' }, finish_reason: 'stop' });
    expect(await call(client)).toMatchObject({ text: 'I cannot.', finish: 'refusal' });
  });

  test('call() takes an empty refusal for none', async () => {
    const client = await answeringChoice({ message: { content: 'x', refusal: '' }, finish_reason: 'stop' });
    expect(await call(client)).toMatchObject({ text: 'x', finish: 'stop' });
  });

  test('call() reads log-probabilities with their alternatives', async () => {
    const content = [
      {
        token: 'bug',
        logprob: -0.1,
        bytes: [98, 117, 103],
        top_logprobs: [{ token: 'bug', logprob: -0.1, bytes: null }],
      },
      { token: '.', logprob: 0 },
    ];
    const client = await answeringChoice({
      message: { content: 'bug.' },
      finish_reason: 'stop',
      logprobs: { content },
    });
    expect((await call(client)).logprobs).toEqual([
      { token: 'bug', logprob: -0.1, top: [{ token: 'bug', logprob: -0.1 }] },
      { token: '.', logprob: 0 },
    ]);
  });

  test.each([null, { content: null }, { content: [{ token: 'a' }] }, 'x'])(
    'call() drops logprobs %j',
    async (logprobs) => {
      const client = await answeringChoice({ message: { content: 'x' }, finish_reason: 'stop', logprobs });
      expect(await call(client)).not.toHaveProperty('logprobs');
    },
  );

  test('call() has no usage where the provider reports none', async () => {
    const client = await answering({ choices: COMPLETION.choices, usage: null });
    const answer = await call(client);
    expect(answer).not.toHaveProperty('usage');
    expect(answer).not.toHaveProperty('rawUsage');
  });
});

describe('parseUsage()', () => {
  const base = { prompt_tokens: 20, completion_tokens: 7 };

  test.each([
    ['missing details', base, [20, 0, 7, 0]],
    ['null details', { ...base, prompt_tokens_details: null, completion_tokens_details: null }, [20, 0, 7, 0]],
    ["DeepSeek's cache field", { ...base, prompt_cache_hit_tokens: 8 }, [20, 8, 7, 0]],
    ["Moonshot's cache field", { ...base, cached_tokens: 9 }, [20, 9, 7, 0]],
    ['no output', { prompt_tokens: 20, completion_tokens: 0 }, [20, 0, 0, 0]],
    [
      'reasoning outside of the completion (xAI, Gemini)',
      { ...base, total_tokens: 127, completion_tokens_details: { reasoning_tokens: 100 } },
      [20, 0, 107, 100],
    ],
    ['a total that is too small', { ...base, total_tokens: 5 }, [20, 0, 7, 0]],
  ] as const)(
    'parseUsage() reads %s',
    (_name, raw, [inputTokens, cachedInputTokens, outputTokens, reasoningTokens]) => {
      expect(parseUsage(raw)).toEqual({ inputTokens, cachedInputTokens, outputTokens, reasoningTokens });
    },
  );

  test.each([
    undefined,
    null,
    'many',
    {},
    { prompt_tokens: 20 },
    { ...base, prompt_tokens: '20' },
    { ...base, prompt_tokens: -1 },
    { ...base, completion_tokens: 1.5 },
    { ...base, completion_tokens: 2 ** 60 },
    { ...base, total_tokens: 'x' },
    { ...base, prompt_tokens: 0 },
    { ...base, prompt_tokens_details: { cached_tokens: -1 } },
    { ...base, prompt_tokens_details: { cached_tokens: 21 } },
    { ...base, completion_tokens_details: { reasoning_tokens: '3' } },
  ])('parseUsage() refuses %j', (raw) => {
    expect(parseUsage(raw)).toBeUndefined();
  });
});

describe('HTTP failures', () => {
  test('call() fails with class, status, code, wait, id and limits of the provider, and bills nothing', async () => {
    const body = { error: { message: 'Rate limit reached', code: 'rate_limit_exceeded' } };
    const headers = { 'retry-after': '1.5', 'x-request-id': 'req-9', 'x-ratelimit-limit-requests': '3' };
    const error = await failureOf(call(await answering(body, 429, headers)));
    expect(error).toMatchObject({
      failure: 'rate_limited',
      billing: 'none',
      status: 429,
      providerCode: 'rate_limit_exceeded',
      retryAfterMs: 1500,
      requestId: 'req-9',
      rateLimitHeaders: { 'retry-after': '1.5', 'x-ratelimit-limit-requests': '3' },
    });
    expect(error.message).toContain('with HTTP 429 (rate_limit_exceeded): Rate limit reached.');
  });

  test('call() names model and URL where the server knows no such model', async () => {
    const error = await failureOf(call(await answering({ error: 'model not found' }, 404)));
    expect(error.failure).toBe('bad_request');
    expect(error.message).toMatch(
      /^Provider acme refused model small-2026-01-01 at http:\/\/127\.0\.0\.1:\d+\/v1\/chat\/completions with HTTP 404: model not found\. Check the model's id/,
    );
  });

  test('call() quotes at most 300 characters and no key, also where the cut falls into one', async () => {
    for (const lead of ['', 'x'.repeat(290), ' '.repeat(1190)]) {
      const error = await failureOf(call(await answering(`${lead}key ${API_KEY} ${'y'.repeat(5000)}`, 500)));
      expect(error.message).not.toContain(API_KEY.slice(0, 5));
      expect(error.message.length).toBeLessThan(600);
    }
    const error = await failureOf(call(await answering(`bad ${API_KEY}!`, 401)));
    expect(error.failure).toBe('authentication');
    expect(error.message).toContain('bad ***!');
  });

  test('call() leaks no key that the server sends back in headers, code, id or a garbled answer', async () => {
    const headers = { 'x-request-id': API_KEY, 'x-ratelimit-owner': API_KEY };
    const error = await failureOf(call(await answering({ error: { message: 'm', code: API_KEY } }, 400, headers)));
    expect(error).toMatchObject({
      providerCode: '***',
      requestId: '***',
      rateLimitHeaders: { 'x-ratelimit-owner': '***' },
    });
    await failureOf(call(await answering({ id: API_KEY, choices: [], key: API_KEY })));
    await failureOf(call(await openAgainstRaw((socket) => socket.end(`${API_KEY} is not HTTP\r\n\r\n`))));
  });
});

describe('invalid replies', () => {
  test.each([
    ['a choice without message', { choices: [{ text: 'x' }] }],
    ['content of a wrong type', { choices: [{ message: { content: 5 } }] }],
  ])('call() fails on %s with unknown billing', async (_name, body) => {
    const error = await failureOf(call(await answering(body)));
    expect(error).toMatchObject({ failure: 'invalid_reply', billing: 'unknown', status: 200, usage: undefined });
    expect(error.message).toContain('holds no chat completion');
  });

  test('call() says what was billed where a reply without choices has a usage', async () => {
    const error = await failureOf(call(await answering({ id: 'x-1', choices: [], usage: COMPLETION.usage })));
    expect(error).toMatchObject({ failure: 'invalid_reply', billing: 'billed', requestId: 'x-1' });
    expect(error.usage).toMatchObject({ inputTokens: 20, outputTokens: 7 });
  });

  test('call() cuts off a body that is too long and closes its connection', async () => {
    const closed = Promise.withResolvers<void>();
    const client = await openAgainst(
      (_request, response) => {
        response.on('close', closed.resolve);
        const pump = () => {
          while (response.write(Buffer.alloc(64 * 1024, 'x')));
        };
        response.on('drain', pump);
        pump();
      },
      { maxReplyBytes: 1024 * 1024 },
    );
    const error = await failureOf(call(client));
    expect(error).toMatchObject({ failure: 'invalid_reply', billing: 'unknown' });
    expect(error.message).toContain('is longer than 1048576 bytes');
    await closed.promise;
  });
});

describe('connections', () => {
  test('call() opens no more connections than allowed and waits for one', async () => {
    let connections = 0;
    const server = createServer((_request, response) => setImmediate().then(() => sendJson(response, COMPLETION)));
    server.on('connection', () => {
      connections += 1;
    });
    const client = open(`${await servers.listen(server)}/v1`, { maxConnections: 3 });
    await Promise.all(Array.from({ length: 20 }, () => call(client)));
    expect(connections).toBe(3);
  });

  test('call() says who, where and why when nobody listens', async () => {
    const error = await failureOf(call(open(`${await servers.deadOrigin()}/v1`)));
    expect(error).toMatchObject({ failure: 'unreachable', billing: 'none', status: undefined });
    expect(error.message).toMatch(
      /^Cannot reach provider acme at http:\/\/127.+: ECONNREFUSED: .+ that the server is running/,
    );
  });

  test('call() points to DNS for an unknown host', async () => {
    const error = await failureOf(call(open('http://nothing.invalid/v1')));
    expect(error).toMatchObject({ failure: 'unreachable', billing: 'none' });
    expect(error.message).toMatch(/(?:ENOTFOUND|EAI_AGAIN).+DNS/);
  });

  test('call() points to http or https when TLS fails', async () => {
    const origin = await servers.answering(COMPLETION);
    const error = await failureOf(call(open(`${origin.replace('http:', 'https:')}/v1`)));
    expect(error).toMatchObject({ failure: 'unreachable', billing: 'none' });
    expect(error.message).toContain('Check http or https');
  });

  test('call() gives up on a connection that does not open', async () => {
    // Accepts TCP but never answers the TLS handshake.
    const origin = await servers.listen(createRawServer());
    const client = open(`${origin.replace('http:', 'https:')}/v1`, { connectTimeoutMs: 100 });
    const error = await failureOf(call(client));
    expect(error).toMatchObject({ failure: 'unreachable', billing: 'none' });
    expect(error.message).toMatch(/UND_ERR_CONNECT_TIMEOUT.+timeout: 100ms/);
  });

  test.each([
    ['closed before headers', (socket: Socket) => socket.end()],
    ['reset before headers', (socket: Socket) => socket.resetAndDestroy()],
    [
      'reset in the body',
      (socket: Socket) =>
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"choices', () => socket.resetAndDestroy()),
    ],
    ['closed in the body', (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"choices')],
    [
      'closed in a chunk',
      (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\n{"ch'),
    ],
  ] as const)('call() does not know the bill of a connection %s, and sends nothing twice', async (_name, onRequest) => {
    let requests = 0;
    const client = await openAgainstRaw((socket) => {
      requests += 1;
      onRequest(socket);
    });
    const error = await failureOf(call(client));
    expect(error).toMatchObject({ failure: 'connection_lost', billing: 'unknown' });
    expect(error.message).toContain('broke after the request was sent');
    expect(requests).toBe(1);
  });

  test('call() works again after the connection broke', async () => {
    let requests = 0;
    const client = await openAgainst((request, response) => {
      requests += 1;
      if (requests === 1) request.socket.resetAndDestroy();
      else sendJson(response, COMPLETION);
    });
    await failureOf(call(client));
    expect((await call(client)).text).toBe('Hello');
  });
});

describe('timeouts', () => {
  test.each([
    ['headers', () => {}],
    [
      'the end of the body',
      (_request: IncomingMessage, response: ServerResponse) => {
        response.write('{"choices"');
      },
    ],
  ])('call() waits for %s only so long, and closes the connection', async (_name, listener) => {
    const closed = Promise.withResolvers<void>();
    const client = await openAgainst(
      (request, response) => {
        request.socket.on('close', closed.resolve);
        listener(request, response);
      },
      { timeoutMs: 300 },
    );
    const error = await failureOf(call(client));
    expect(error).toMatchObject({ failure: 'timeout', billing: 'unknown' });
    expect(error.message).toContain('within 300 ms');
    await closed.promise;
  });

  test('call() bills nothing for a timeout while it waits for a connection, and never sends it', async () => {
    // Accepts TCP but never answers the TLS handshake, so the only connection never opens: neither for the call that
    // opens it nor for the one behind that.
    const origin = await servers.listen(createRawServer());
    const client = open(`${origin.replace('http:', 'https:')}/v1`, { maxConnections: 1, timeoutMs: 60 });
    for (const failure of await Promise.all([failureOf(call(client)), failureOf(call(client))])) {
      expect(failure).toMatchObject({ failure: 'timeout', billing: 'none' });
      expect(failure.message).toContain('within 60 ms; nothing was sent');
    }
  });
});

describe('abort', () => {
  test('call() aborted after it was sent may be billed, and closes the connection', async () => {
    const arrived = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<void>();
    const client = await openAgainst((request) => {
      request.socket.on('close', closed.resolve);
      arrived.resolve();
    });
    const aborter = new AbortController();
    const failure = failureOf(call(client, {}, aborter.signal));
    await arrived.promise;
    aborter.abort();
    expect(await failure).toMatchObject({ failure: 'aborted', billing: 'unknown' });
    await closed.promise;
  });

  test('call() aborted while it waits for a connection is never sent and not billed', async () => {
    let requests = 0;
    const arrived = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    const client = await openAgainst(
      (_request, response) => {
        requests += 1;
        arrived.resolve();
        void answer.promise.then(() => sendJson(response, COMPLETION));
      },
      { maxConnections: 1 },
    );
    const first = call(client);
    await arrived.promise;
    const aborter = new AbortController();
    const second = failureOf(call(client, {}, aborter.signal));
    aborter.abort();
    expect(await second).toMatchObject({ failure: 'aborted', billing: 'none' });
    answer.resolve();
    await first;
    // The connection is free again, and what comes next is the third call.
    await call(client);
    expect(requests).toBe(2);
  });

  test('call() leaves no listener on a signal that outlives it', async () => {
    const client = await answering(COMPLETION);
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...parameters: Parameters<typeof add>) => {
      listeners += 1;
      add(...parameters);
    };
    signal.removeEventListener = (...parameters: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...parameters);
    };
    await call(client, {}, signal);
    expect(listeners).toBe(0);
  });
});

test('what the call has cost is read from the usage, or from the header of a gateway', async () => {
  const usage = { ...COMPLETION.usage, cost: 0.00014 };
  expect(await call(await answering({ ...COMPLETION, usage }))).toMatchObject({ statedCost: 140_000 });
  const byHeader = await answering(COMPLETION, 200, { 'x-litellm-response-cost': '7.5e-05' });
  expect(await call(byHeader)).toMatchObject({ statedCost: 75_000 });
  for (const odd of ['', 'none', '-1', 'NaN']) {
    const reply = await call(await answering(COMPLETION, 200, { 'x-litellm-response-cost': odd }));
    expect(reply.statedCost).toBeUndefined();
  }
});
