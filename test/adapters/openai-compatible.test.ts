import { describe, expect, test } from 'vitest';
import { createOpenAiClient } from '../../src/adapters/openai-compatible/client.ts';
import type { ProviderClientOptions } from '../../src/adapters/provider-http/client-options.ts';
import type { ModelRequest } from '../../src/providers/model-client.ts';
import { API_KEY, CAPABILITIES, failureOf } from '../contract/model-client-fixture.ts';
import {
  answering,
  answeringChoice,
  COMPLETION,
  call,
  open,
  openAgainst,
  openAgainstRaw,
  servers,
} from './openai-fixture.ts';

// What every provider's client does is tested in `openai-contract.test.ts`.

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
    const { durationMs, firstByteMs, ...rest } = await call(client);
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
    expect(firstByteMs).toBeGreaterThan(0);
    expect(durationMs).toBeGreaterThan(firstByteMs ?? Number.POSITIVE_INFINITY);
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
