import Anthropic from '@anthropic-ai/sdk';
import { afterAll, describe, expect, test } from 'vitest';
import { createAnthropicClient } from '../../src/adapters/anthropic/client.ts';
import { parseMessageUsage } from '../../src/adapters/anthropic/parse-message-usage.ts';
import type { ProviderClientOptions } from '../../src/adapters/provider-http/client-options.ts';
import type { EndpointCapabilities } from '../../src/providers/endpoint-capabilities.ts';
import type { ModelReply, ModelRequest } from '../../src/providers/model-client.ts';
import { describeModelClient } from '../contract/model-client.ts';
import { API_KEY, CAPABILITIES, REQUEST } from '../contract/model-client-fixture.ts';
import { bodyText, ERROR_SAMPLES } from '../helpers/provider-errors.ts';
import { ProviderServers } from '../helpers/provider-server.ts';

const USAGE: Anthropic.Usage = {
  cache_creation: { ephemeral_1h_input_tokens: 0, ephemeral_5m_input_tokens: 0 },
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 16,
  inference_geo: null,
  input_tokens: 4,
  output_tokens: 7,
  output_tokens_details: { thinking_tokens: 3 },
  server_tool_use: null,
  service_tier: 'standard',
  speed: null,
};
const MESSAGE: Anthropic.Message = {
  id: 'msg_01XFDUDYJgAACzvnptvVoYEL',
  type: 'message',
  role: 'assistant',
  model: 'claude-haiku-4-5-20251001',
  container: null,
  diagnostics: null,
  content: [{ type: 'text', text: 'Hello', citations: null }],
  stop_details: null,
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: USAGE,
};
const STRICT: EndpointCapabilities = {
  ...CAPABILITIES,
  temperature: false,
  logprobs: false,
  promptCache: 'markers',
  reasoning: 'thinking',
};

/** How a model is told to think, as the SDK's types have it. */
const THINKING: readonly (readonly [
  string,
  NonNullable<ModelRequest['reasoning']>,
  Pick<Anthropic.MessageCreateParamsNonStreaming, 'thinking' | 'output_config'>,
])[] = [
  ['thinking switched off', { effort: 'none' }, { thinking: { type: 'disabled' } }],
  ['thinking switched off as Sonnet 5.5 has it', { effort: 'minimal' }, { thinking: { type: 'between_tools' } }],
  ['an effort', { effort: 'high' }, { thinking: { type: 'adaptive' }, output_config: { effort: 'high' } }],
  ['a budget', { budget: 2048 }, { thinking: { type: 'enabled', budget_tokens: 2048 } }],
];

describeModelClient('The Anthropic client', {
  api: 'anthropic',
  create: createAnthropicClient,
  basePath: '',
  keyHeader: { name: 'x-api-key', value: (apiKey) => apiKey },
  reply: { ...MESSAGE },
  usageField: 'usage',
  truncated: { ...MESSAGE, stop_reason: 'max_tokens' } satisfies Anthropic.Message,
  refusals: [
    [
      'with an explanation',
      {
        ...MESSAGE,
        content: [],
        stop_reason: 'refusal',
        stop_details: { type: 'refusal', category: 'cyber', explanation: 'This could enable harm.' },
      } satisfies Anthropic.Message,
    ],
    ['without one', { ...MESSAGE, content: [], stop_reason: 'refusal' } satisfies Anthropic.Message],
  ],
  withoutAnswer: { ...MESSAGE, type: 'something_else' },
});

const servers = new ProviderServers();
afterAll(() => servers[Symbol.asyncDispose]());

async function callAt(
  origin: string,
  request: Partial<ModelRequest> = {},
  options: Partial<ProviderClientOptions> = {},
): Promise<ModelReply> {
  const client = createAnthropicClient({
    name: 'claude',
    baseUrl: origin,
    apiKey: API_KEY,
    capabilities: STRICT,
    ...options,
  });
  try {
    return await client.call({ ...REQUEST, ...request }, new AbortController().signal);
  } finally {
    await client.close();
  }
}

const reading = async (message: unknown) => callAt(await servers.answering(message));

describe('The Anthropic client beside the official SDK', () => {
  const schema = {
    type: 'object',
    properties: { label: { type: 'string', enum: ['bug', 'other'] }, confidence: { type: 'number' } },
    required: ['label', 'confidence'],
    additionalProperties: false,
  };
  type Case = readonly [
    string,
    Partial<ModelRequest>,
    Partial<EndpointCapabilities>,
    Anthropic.MessageCreateParamsNonStreaming,
  ];
  const cases: readonly Case[] = [
    [
      'a marked system prompt',
      {},
      {},
      {
        model: 'small-2026-01-01',
        max_tokens: 50,
        system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
        messages: [{ role: 'user', content: 'Grüße' }],
      },
    ],
    [
      'a schema, and no marker where the cache finds the prefix by itself',
      { responseFormat: { kind: 'json_schema', name: 'answer', schema }, logprobs: true },
      { promptCache: 'automatic' },
      {
        model: 'small-2026-01-01',
        max_tokens: 50,
        system: [{ type: 'text', text: 'Be brief.' }],
        messages: [{ role: 'user', content: 'Grüße' }],
        output_config: { format: { type: 'json_schema', schema } },
      },
    ],
    [
      'several system messages, a repair turn and JSON that is only asked for in words',
      {
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'system', content: '' },
          { role: 'system', content: 'Be kind.' },
          { role: 'user', content: 'One' },
          { role: 'assistant', content: '{' },
          { role: 'user', content: 'Again.' },
        ],
        responseFormat: { kind: 'json_object' },
        temperature: 0,
      },
      {},
      {
        model: 'small-2026-01-01',
        max_tokens: 50,
        system: [
          { type: 'text', text: 'Be brief.' },
          { type: 'text', text: 'Be kind.', cache_control: { type: 'ephemeral' } },
        ],
        messages: [
          { role: 'user', content: 'One' },
          { role: 'assistant', content: '{' },
          { role: 'user', content: 'Again.' },
        ],
      },
    ],
    [
      'no system prompt',
      { messages: [{ role: 'user', content: 'One' }] },
      {},
      { model: 'small-2026-01-01', max_tokens: 50, messages: [{ role: 'user', content: 'One' }] },
    ],
    ...THINKING.map(
      ([name, reasoning, fields]): Case => [
        name,
        { messages: [{ role: 'user', content: 'One' }], reasoning },
        {},
        { model: 'small-2026-01-01', max_tokens: 50, messages: [{ role: 'user', content: 'One' }], ...fields },
      ],
    ),
    [
      'a schema and an effort together',
      {
        messages: [{ role: 'user', content: 'One' }],
        responseFormat: { kind: 'json_schema', name: 'answer', schema },
        reasoning: { effort: 'low' },
      },
      {},
      {
        model: 'small-2026-01-01',
        max_tokens: 50,
        messages: [{ role: 'user', content: 'One' }],
        thinking: { type: 'adaptive' },
        output_config: { format: { type: 'json_schema', schema }, effort: 'low' },
      },
    ],
    [
      'nothing about thinking where the endpoint cannot be told',
      { messages: [{ role: 'user', content: 'One' }], reasoning: { effort: 'low' } },
      { reasoning: 'none' },
      { model: 'small-2026-01-01', max_tokens: 50, messages: [{ role: 'user', content: 'One' }] },
    ],
  ];

  test.each(cases)('call() sends what the SDK sends: %s', async (_name, request, capabilities, params) => {
    const { origin, seen } = await servers.recording(MESSAGE);
    const reply = await callAt(origin, request, { capabilities: { ...STRICT, ...capabilities } });
    const sdk = new Anthropic({ baseURL: origin, apiKey: API_KEY, maxRetries: 0 });
    const message = await sdk.messages.create(params);
    const [own, official] = seen;
    expect(JSON.parse(own?.body ?? '')).toEqual(JSON.parse(official?.body ?? ''));
    expect([own?.method, own?.url]).toEqual([official?.method, official?.url]);
    expect(own?.headers['anthropic-version']).toBe(official?.headers['anthropic-version']);
    expect(reply.text).toBe(message.content[0]?.type === 'text' ? message.content[0].text : undefined);
    expect(reply.usage?.outputTokens).toBe(message.usage.output_tokens);
  });

  test('the error samples are what the SDK takes for errors of these types', async () => {
    for (const sample of ERROR_SAMPLES.filter(({ api }) => api === 'anthropic')) {
      const origin = await servers.answering(bodyText(sample), sample.status, sample.headers);
      const sdk = new Anthropic({ baseURL: origin, apiKey: API_KEY, maxRetries: 0 });
      const params = { model: 'm', max_tokens: 1, messages: [{ role: 'user' as const, content: 'x' }] };
      const error = await sdk.messages.create(params).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(Anthropic.APIError);
      const { status, errorCode, type } = error as InstanceType<typeof Anthropic.APIError>;
      expect(status).toBe(sample.status);
      expect(errorCode ?? type).toBe(sample.providerCode);
    }
  });
});

describe('Requests to Anthropic', () => {
  test.each([
    ['', '/v1/messages'],
    ['/', '/v1/messages'],
    ['/v1', '/v1/messages'],
    ['/v1/', '/v1/messages'],
    ['/anthropic', '/anthropic/v1/messages'],
    ['/anthropic/v1?team=a', '/anthropic/v1/messages?team=a'],
  ])('call() with a base URL ending in "%s" goes to %s', async (basePath, path) => {
    const { origin, seen } = await servers.recording(MESSAGE);
    await callAt(origin + basePath);
    expect(seen[0]?.url).toBe(path);
  });

  test('call() names the API version of the config where it names one', async () => {
    const { origin, seen } = await servers.recording(MESSAGE);
    const capabilities = { ...STRICT, temperature: true };
    await callAt(origin, { temperature: 0 }, { headers: { 'Anthropic-Version': '2023-06-01' }, capabilities });
    expect(seen[0]?.headers['anthropic-version']).toBe('2023-06-01');
    expect(seen[0]?.body).toContain('"temperature":0');
  });
});

describe('Replies of Anthropic', () => {
  test.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['refusal', 'refusal'],
    ['tool_use', 'other'],
    ['pause_turn', 'other'],
    ['something_new', 'other'],
    [null, 'other'],
  ])('call() reads stop reason %s as %s', async (stop_reason, expected) => {
    expect((await reading({ ...MESSAGE, stop_reason })).finish).toBe(expected);
  });

  test('call() reads text blocks only', async () => {
    const content = [
      { type: 'thinking', thinking: 'hm', signature: 's' },
      { type: 'redacted_thinking', data: 'x' },
      { type: 'something_new', text: 'no' },
      { type: 'text', text: 'Hel', citations: null },
      { type: 'tool_use', id: 't', name: 'n', input: {}, caller: { type: 'direct' } },
      { type: 'text', text: 'lo', citations: null },
      null,
    ];
    expect((await reading({ ...MESSAGE, content })).text).toBe('Hello');
  });

  test('call() has an empty text where thinking used up the cap', async () => {
    const content = [{ type: 'thinking', thinking: '', signature: 's' }];
    expect(await reading({ ...MESSAGE, content, stop_reason: 'max_tokens' })).toMatchObject({
      text: '',
      finish: 'length',
    });
  });

  test('call() gives the explanation of a refusal as its text, but not instead of what was written', async () => {
    const stop_details = { type: 'refusal', category: 'bio', explanation: 'It could enable harm.' };
    const refusal = { ...MESSAGE, stop_reason: 'refusal', stop_details };
    expect((await reading({ ...refusal, content: [] })).text).toBe('It could enable harm.');
    expect((await reading(refusal)).text).toBe('Hello');
  });

  test('call() takes the id of the request from its header', async () => {
    const origin = await servers.answering(MESSAGE, 200, { 'request-id': 'req_018EeWyXxfu5pfWkrYcMdjWG' });
    expect((await callAt(origin)).requestId).toBe('req_018EeWyXxfu5pfWkrYcMdjWG');
    expect((await reading(MESSAGE)).requestId).toBe('msg_01XFDUDYJgAACzvnptvVoYEL');
  });
});

describe('parseMessageUsage()', () => {
  test('parseMessageUsage() adds what was read from and written to the cache to the input', () => {
    const usage: Anthropic.Usage = { ...USAGE, cache_creation_input_tokens: 100 };
    expect(parseMessageUsage(usage)).toEqual({
      inputTokens: 120,
      cachedInputTokens: 16,
      cacheWriteTokens: 100,
      outputTokens: 7,
      reasoningTokens: 3,
    });
  });

  test('parseMessageUsage() reads the counts of an older API without details', () => {
    const expected = { inputTokens: 4, cachedInputTokens: 0, outputTokens: 7, reasoningTokens: 0 };
    expect(parseMessageUsage({ input_tokens: 4, output_tokens: 7 })).toEqual(expected);
    const nulls = { cache_creation_input_tokens: null, cache_read_input_tokens: null, output_tokens_details: null };
    expect(parseMessageUsage({ input_tokens: 4, output_tokens: 7, ...nulls })).toEqual(expected);
  });

  test('parseMessageUsage() counts a prompt that came wholly from the cache', () => {
    expect(parseMessageUsage({ ...USAGE, input_tokens: 0 })?.inputTokens).toBe(16);
  });

  test.each([
    undefined,
    null,
    'many',
    [],
    {},
    { output_tokens: 7 },
    { input_tokens: 4 },
    { input_tokens: 0, output_tokens: 7 },
    { input_tokens: '4', output_tokens: 7 },
    { input_tokens: -4, output_tokens: 7 },
    { input_tokens: 4.5, output_tokens: 7 },
    { input_tokens: 4, output_tokens: 2 ** 60 },
    { input_tokens: 4, output_tokens: 7, cache_read_input_tokens: -1 },
    { input_tokens: 4, output_tokens: 7, output_tokens_details: { thinking_tokens: '3' } },
  ])('parseMessageUsage() refuses %j', (raw) => {
    expect(parseMessageUsage(raw)).toBeUndefined();
  });
});
