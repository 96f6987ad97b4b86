import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PRESETS, type PresetName } from '../../config/presets.ts';
import { openModelClient, type ProviderSettings } from '../../src/adapters/open-model-client.ts';
import { probeProvider } from '../../src/adapters/provider-probe.ts';
import { type EndpointReport, probeEndpoint } from '../../src/doctor/doctor-provider.ts';
import type { ModelSpec } from '../../src/workflows/workflow.ts';
import { type Answer, check, completion, LOGPROBS, states, YES } from './endpoint-answers.ts';

interface Exchange {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let origin: string;
let exchanges: Exchange[];
let answer: (exchange: Exchange) => Answer;
const server = createServer(async (request, response) => {
  const body = await text(request);
  const exchange = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body };
  exchanges.push(exchange);
  const { status = 200, headers = {}, body: reply } = answer(exchange);
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof reply === 'string' ? reply : JSON.stringify(reply));
});

beforeEach(async () => {
  exchanges = [];
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

function settings(preset: PresetName, path = '/v1'): ProviderSettings {
  const { kind, authHeader, capabilities } = PRESETS[preset];
  return {
    name: 'acme',
    kind,
    baseUrl: origin + path,
    apiKey: 'the-secret-key',
    ...(authHeader === undefined ? {} : { authHeader }),
    headers: {},
    timeoutMs: 5000,
    capabilities,
    limits: { concurrency: 4 },
  };
}

const price = { inputPerMillion: 1_000_000_000, cachedInputPerMillion: 100_000_000, outputPerMillion: 5_000_000_000 };

async function probe(
  provider: ProviderSettings,
  more: Partial<ModelSpec> = {},
  cost: Pick<ModelSpec, 'price'> = { price },
): Promise<EndpointReport> {
  const model: ModelSpec = {
    name: 'small',
    provider: 'acme',
    pool: 'acme',
    id: 'small-1',
    contextTokens: 1000,
    maxOutputTokens: 100,
    ...cost,
    structuredOutput: provider.capabilities.structuredOutput,
    logprobs: false,
    ...more,
  };
  const client = openModelClient(provider);
  try {
    return await probeEndpoint({ provider, model, client, signal: AbortSignal.timeout(10_000) });
  } finally {
    await client.close();
  }
}

describe('probeEndpoint() on a chat-completions server', () => {
  it('reports usage, cost, log-probabilities, structured output, headers and latency of one call', async () => {
    answer = () => ({
      ...completion(
        YES,
        {
          usage: {
            prompt_tokens: 40,
            completion_tokens: 10,
            total_tokens: 50,
            prompt_tokens_details: { cached_tokens: 20 },
            completion_tokens_details: { reasoning_tokens: 4 },
          },
        },
        LOGPROBS,
      ),
      headers: { 'x-ratelimit-limit-requests': '600', 'x-ratelimit-remaining-requests': '599' },
    });
    const report = await probe(settings('openai'));
    expect(states(report), JSON.stringify(report.checks)).toEqual(['ok']);
    expect(exchanges).toHaveLength(1);
    expect(JSON.parse(exchanges[0]?.body ?? '')).toMatchObject({ model: 'small-1', max_completion_tokens: 100 });
    expect(check(report, 'usage')).toBe('ok: input 40 (cached 20), output 10 (reasoning 4)');
    // 20 at 1 dollar, 20 at 0.10 and 10 at 5 dollars per million.
    expect(report.costNano).toBe(20_000 + 2000 + 50_000);
    expect(check(report, 'cost')).toMatch(/this call cost \$0\.000072/);
    expect(check(report, 'log-probabilities')).toBe(
      'ok: present: write providers.acme.logprobs: true for a better confidence',
    );
    expect(check(report, 'structured output')).toBe('ok: json_schema is obeyed');
    expect(check(report, 'rate-limit headers')).toMatch(
      /x-ratelimit-limit-requests: 600, x-ratelimit-remaining-requests: 599/,
    );
    expect(report.latencyMs).toBeGreaterThanOrEqual(0);
    expect(check(report, 'latency')).toMatch(/^ok: \d+ ms$/);
  });

  it('names the setting where a schema is ignored, and where the answer is no JSON', async () => {
    answer = () => completion('{"answer": true}');
    expect(check(await probe(settings('vllm')), 'structured output')).toMatch(
      /^warning: the schema is ignored, .*: write providers\.acme\.structuredOutput: json_object$/,
    );
    answer = () => completion('Yes, it is.');
    expect(check(await probe(settings('vllm')), 'structured output')).toMatch(
      /^warning: the answer is no JSON object but "Yes, it is\.": write providers\.acme\.structuredOutput: json_object, or prompt$/,
    );
    expect(check(await probe(settings('deepseek')), 'structured output')).toMatch(
      /: write providers\.acme\.structuredOutput: prompt$/,
    );
    answer = () => completion('{"answer": true}');
    expect(check(await probe(settings('deepseek')), 'structured output')).toBe('ok: json_object is obeyed');
  });

  it('warns of log-probabilities that are asked for and do not come, and of a missing usage and price', async () => {
    answer = () => completion(YES, { usage: undefined });
    const report = await probe(settings('vllm'), { logprobs: true });
    expect(check(report, 'log-probabilities')).toBe('warning: asked for and not sent: remove providers.acme.logprobs');
    expect(check(report, 'usage')).toMatch(/^warning: none reported/);
    expect(check(report, 'cost')).toMatch(/^warning: not known without a usage/);
    expect(report).not.toHaveProperty('costNano');
    answer = () => completion(YES);
    expect(check(await probe(settings('vllm'), {}, {}), 'cost')).toMatch(
      /^warning: not known: add models\.small\.price/,
    );
  });

  it('tries log-probabilities only where they may exist, and continues without where they are refused', async () => {
    answer = ({ body }) =>
      body.includes('logprobs')
        ? { status: 400, body: { error: { message: "'logprobs' is not supported with this model" } } }
        : completion(YES);
    const refused = await probe(settings('openai'));
    expect(exchanges).toHaveLength(2);
    expect(states(refused)).toEqual(['ok']);
    expect(check(refused, 'log-probabilities')).toBe('ok: none, and not asked for by the config');
    exchanges = [];
    const groq = await probe(settings('groq'));
    expect(exchanges).toHaveLength(1);
    expect(check(groq, 'log-probabilities')).toBe('ok: none, as its preset says');
  });

  it.each([
    [
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      {},
      'providers.acme.maxTokensField: max_completion_tokens',
    ],
    ['This model does not support response format `json_schema`', {}, 'providers.acme.structuredOutput: json_object'],
    ["'temperature' does not support 0.2 with this model", { temperature: 0.2 }, 'remove models.small.temperature'],
    ['logprobs are not supported', { logprobs: true }, 'remove providers.acme.logprobs'],
  ])('on the refusal %j names the line of the config', async (message, model, cure) => {
    answer = () => ({ status: 400, body: { error: { message, type: 'invalid_request_error' } } });
    const report = await probe(settings('vllm'), model);
    expect(check(report, 'reachable')).toMatch(/^ok/);
    expect(check(report, 'model answers')).toMatch(/^failed: .*HTTP 400/);
    expect(check(report, 'model answers').endsWith(`Likely cure: ${cure}`)).toBe(true);
  });

  it('tells an unknown model, a wrong key and an address where nobody listens apart', async () => {
    answer = () => ({ status: 404, body: { error: { message: 'The model small-1 does not exist' } } });
    expect(check(await probe(settings('vllm')), 'model answers')).toMatch(/^failed: .*HTTP 404.*Check the model's id/);
    answer = () => ({ status: 401, body: { error: { message: 'Incorrect API key: the-secret-key' } } });
    const wrongKey = await probe(settings('vllm'));
    expect(check(wrongKey, 'authenticated')).toMatch(/^failed: .*HTTP 401/);
    expect(JSON.stringify(wrongKey)).not.toContain('the-secret-key');
    const nobody = await probe({ ...settings('vllm'), baseUrl: 'http://127.0.0.1:1/v1' });
    expect(nobody.checks).toHaveLength(1);
    expect(check(nobody, 'reachable')).toMatch(/^failed: Cannot reach provider acme/);
  });

  describe('where thinking uses up the cap', () => {
    const thought = (reasoning_tokens: number) => ({
      usage: { prompt_tokens: 40, completion_tokens: 100, completion_tokens_details: { reasoning_tokens } },
    });
    const cut = { finish_reason: 'length' };
    const line = async (more: Partial<ModelSpec> = {}) => check(await probe(settings('vllm'), more), 'model answers');

    it('names the line to add, whether the provider counts thinking or says nothing at all', async () => {
      answer = () => completion('', thought(100), cut);
      const add =
        'write models.small.reasoning: none, or where it cannot be switched off models.small.reasoning: { effort: low, tokens: 2048 }';
      expect(await line()).toBe(
        `warning: small-1 used up 100 tokens without ending its answer, 100 of them by thinking: ${add}`,
      );
      answer = () => completion('', {}, cut);
      expect(await line()).toBe(
        `warning: small-1 used up 100 tokens without ending its answer, most likely by thinking: ${add}`,
      );
    });

    it('names the line to change where the config has one', async () => {
      answer = () => completion('{"verdict":', thought(40), cut);
      expect(await line({ reasoning: { ask: { effort: 'low' }, tokens: 60 } })).toMatch(
        /40 of them by thinking: raise models\.small\.reasoning\.tokens from 60 to 120, or write a lower effort$/,
      );
      expect(await line({ reasoning: { ask: { effort: 'none' }, tokens: 0 } })).toMatch(
        /it thinks all the same, so write models\.small\.reasoning: \{ effort: low, tokens: 2048 \}$/,
      );
    });

    it('does not blame thinking for a long answer', async () => {
      answer = () => completion('Well, two and two', {}, cut);
      expect(await line()).toMatch(
        /^warning: small-1 used up 100 tokens .*; the output caps of the workflows are tighter$/,
      );
    });
  });

  it('asks with the room and the effort of the config', async () => {
    answer = () => completion(YES);
    await probe(settings('vllm'), { maxOutputTokens: 4096, reasoning: { ask: { effort: 'low' }, tokens: 2048 } });
    expect(JSON.parse(exchanges[0]?.body ?? '')).toMatchObject({ max_tokens: 256 + 2048, reasoning_effort: 'low' });
  });

  it.each([
    [
      '"thinking.type.disabled" is not supported for this model.',
      { effort: 'none' },
      /models\.small\.reasoning: minimal, or .*: low$/,
    ],
    ["Unsupported value: 'reasoning_effort' does not support 'minimal'", { effort: 'minimal' }, /another effort/],
    ['"thinking.type.enabled" is not supported for this model.', { budget: 1024 }, /models\.small\.reasoning: low, or/],
  ] as const)('on the refusal %j of how it is told to think names another way', async (message, ask, cure) => {
    answer = () => ({ status: 400, body: { error: { message, type: 'invalid_request_error' } } });
    const report = await probe(settings('vllm'), { reasoning: { ask, tokens: 0 } });
    expect(check(report, 'model answers')).toMatch(new RegExp(`Likely cure: .*${cure.source}`));
  });
});

describe('probeEndpoint() and probeProvider() on Anthropic’s API', () => {
  it('read the reply, its usage and its limits, with the key in x-api-key', async () => {
    answer = () => ({
      headers: { 'anthropic-ratelimit-requests-limit': '50', 'request-id': 'req_1' },
      body: {
        id: 'msg_1',
        type: 'message',
        role: 'assistant',
        content: [{ type: 'text', text: YES }],
        stop_reason: 'end_turn',
        usage: { input_tokens: 30, cache_creation_input_tokens: 0, cache_read_input_tokens: 20, output_tokens: 10 },
      },
    });
    const report = await probe(settings('anthropic'));
    expect(states(report), JSON.stringify(report.checks)).toEqual(['ok']);
    expect(exchanges.map(({ method, url }) => `${method} ${url}`)).toEqual(['POST /v1/messages']);
    expect(exchanges[0]?.headers).toMatchObject({ 'x-api-key': 'the-secret-key' });
    expect(check(report, 'usage')).toBe('ok: input 50 (cached 20), output 10 (reasoning 0)');
    expect(check(report, 'structured output')).toBe('ok: json_schema is obeyed');
    expect(check(report, 'rate-limit headers')).toMatch(/anthropic-ratelimit-requests-limit: 50/);
  });

  it.each(['/v1', ''])('list the models at an address that ends in %j', async (path) => {
    answer = () => ({ body: { data: [{ type: 'model', id: 'claude-opus-5' }], has_more: false } });
    expect(await probeProvider(settings('anthropic', path))).toEqual({
      status: 200,
      isList: true,
      models: ['claude-opus-5'],
    });
    expect(exchanges[0]?.url).toBe('/v1/models?limit=1000');
    expect(exchanges[0]?.headers).toMatchObject({ 'x-api-key': 'the-secret-key', 'anthropic-version': '2023-06-01' });
  });
});

describe('probeEndpoint() and probeProvider() on the Gemini API', () => {
  it('read the reply and its usage, with the key in x-goog-api-key', async () => {
    answer = () => ({
      body: {
        candidates: [{ content: { role: 'model', parts: [{ text: YES }] }, finishReason: 'STOP', index: 0 }],
        usageMetadata: {
          promptTokenCount: 40,
          cachedContentTokenCount: 8,
          candidatesTokenCount: 6,
          thoughtsTokenCount: 14,
          totalTokenCount: 60,
        },
      },
    });
    const report = await probe(settings('gemini', '/v1beta'));
    expect(states(report), JSON.stringify(report.checks)).toEqual(['ok']);
    expect(exchanges.map(({ url }) => url)).toEqual(['/v1beta/models/small-1:generateContent']);
    expect(exchanges[0]?.headers).toMatchObject({ 'x-goog-api-key': 'the-secret-key' });
    expect(check(report, 'usage')).toBe('ok: input 40 (cached 8), output 20 (reasoning 14)');
    expect(check(report, 'rate-limit headers')).toBe('ok: none');
  });

  it('list the models by the ids that the config uses', async () => {
    answer = () => ({ body: { models: [{ name: 'models/gemini-3.8-flash', version: '3.8' }] } });
    expect(await probeProvider(settings('gemini', '/v1beta'))).toEqual({
      status: 200,
      isList: true,
      models: ['gemini-3.8-flash'],
    });
    expect(exchanges[0]?.url).toBe('/v1beta/models?pageSize=1000');
    expect(exchanges[0]?.headers).toMatchObject({ 'x-goog-api-key': 'the-secret-key' });
  });
});

describe('probeProvider() on chat-completions servers', () => {
  it('sends Azure’s key as api-key, keeps the query and does not take its list for deployments', async () => {
    answer = () => ({ body: { data: [{ id: 'gpt-4o' }] } });
    const azure = settings('azure', '/openai/deployments/mini?api-version=2024-10-21');
    expect(await probeProvider(azure)).toEqual({ status: 200 });
    expect(exchanges[0]?.url).toBe('/openai/deployments/mini/models?api-version=2024-10-21');
    expect(exchanges[0]?.headers).toMatchObject({ 'api-key': 'the-secret-key' });
    expect(exchanges[0]?.headers.authorization).toBeUndefined();
  });

  it.each([
    ['a list in data', { object: 'list', data: [{ id: 'a' }, { id: 7 }, null] }, ['a']],
    ['a bare list', [{ id: 'a' }], ['a']],
    ['something else', { hello: 'world' }, undefined],
    ['null', 'null', undefined],
    ['a page', '<html>', undefined],
  ])('reads %s', async (_, body, models) => {
    answer = () => ({ body });
    expect(await probeProvider(settings('together'))).toEqual({ status: 200, ...(models && { isList: true, models }) });
    expect(exchanges[0]?.headers.authorization).toBe('Bearer the-secret-key');
  });
});
