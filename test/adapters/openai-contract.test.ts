import OpenAI from 'openai';
import { afterAll, describe, expect, test } from 'vitest';
import { createOpenAiClient } from '../../src/adapters/openai-compatible/client.ts';
import type { EndpointCapabilities } from '../../src/providers/endpoint-capabilities.ts';
import type { ModelRequest } from '../../src/providers/model-client.ts';
import { REASONING_EFFORTS } from '../../src/workflows/reasoning.ts';
import { describeModelClient } from '../contract/model-client.ts';
import { API_KEY, CAPABILITIES, REQUEST } from '../contract/model-client-fixture.ts';
import { ProviderServers } from '../helpers/provider-server.ts';

const COMPLETION: OpenAI.ChatCompletion = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1_795_000_000,
  model: 'small-2026-01-01',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: 'Hello', refusal: null },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: {
    prompt_tokens: 20,
    completion_tokens: 7,
    total_tokens: 27,
    prompt_tokens_details: { cached_tokens: 16 },
    completion_tokens_details: { reasoning_tokens: 3 },
  },
};

function finishing(
  finish_reason: OpenAI.ChatCompletion.Choice['finish_reason'],
  content: string | null,
  refusal: string | null = null,
): OpenAI.ChatCompletion {
  const message = { role: 'assistant' as const, content, refusal };
  return { ...COMPLETION, choices: [{ index: 0, message, logprobs: null, finish_reason }] };
}

describeModelClient('The OpenAI-compatible client', {
  api: 'openai',
  create: createOpenAiClient,
  basePath: '/v1',
  keyHeader: { name: 'authorization', value: (apiKey) => `Bearer ${apiKey}` },
  reply: { ...COMPLETION },
  usageField: 'usage',
  truncated: finishing('length', 'Hel'),
  refusals: [
    ['a refusal in its own field', finishing('stop', null, 'I cannot help with that.')],
    ['its filter', finishing('content_filter', '')],
  ],
  withoutAnswer: { ...COMPLETION, choices: [] },
});

describe('The OpenAI-compatible client beside the official SDK', () => {
  const servers = new ProviderServers();
  afterAll(() => servers[Symbol.asyncDispose]());

  const schema = {
    type: 'object',
    properties: { label: { type: 'string' } },
    required: ['label'],
    additionalProperties: false,
  };

  type Case = readonly [string, Partial<ModelRequest>, OpenAI.ChatCompletionCreateParamsNonStreaming];
  const cases: readonly Case[] = [
    [
      'the smallest request',
      {},
      {
        model: 'small-2026-01-01',
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'Grüße' },
        ],
        max_tokens: 50,
      },
    ],
    [
      'a schema, log-probabilities and a temperature',
      { temperature: 0, logprobs: true, responseFormat: { kind: 'json_schema', name: 'answer', schema } },
      {
        model: 'small-2026-01-01',
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'Grüße' },
        ],
        max_tokens: 50,
        temperature: 0,
        response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema } },
        logprobs: true,
        top_logprobs: 5,
      },
    ],
    [
      'a repair turn in JSON mode',
      {
        messages: [
          { role: 'user', content: 'Answer in JSON.' },
          { role: 'assistant', content: '{' },
          { role: 'user', content: 'Again.' },
        ],
        responseFormat: { kind: 'json_object' },
      },
      {
        model: 'small-2026-01-01',
        messages: [
          { role: 'user', content: 'Answer in JSON.' },
          { role: 'assistant', content: '{' },
          { role: 'user', content: 'Again.' },
        ],
        max_tokens: 50,
        response_format: { type: 'json_object' },
      },
    ],
    ...REASONING_EFFORTS.map(
      (effort): Case => [
        `the effort ${effort}`,
        { messages: [{ role: 'user', content: 'One' }], reasoning: { effort } },
        {
          model: 'small-2026-01-01',
          messages: [{ role: 'user', content: 'One' }],
          max_tokens: 50,
          reasoning_effort: effort,
        },
      ],
    ),
  ];

  test.each(cases)('call() sends what the SDK sends: %s', async (_name, request, params) => {
    const { origin, seen } = await servers.recording(COMPLETION);
    const client = createOpenAiClient({
      name: 'acme',
      baseUrl: `${origin}/v1`,
      apiKey: API_KEY,
      capabilities: CAPABILITIES,
    });
    const reply = await client.call({ ...REQUEST, ...request }, new AbortController().signal);
    const sdk = new OpenAI({ baseURL: `${origin}/v1`, apiKey: API_KEY, maxRetries: 0 });
    const completion = await sdk.chat.completions.create(params);
    await client.close();
    const [own, official] = seen;
    expect(JSON.parse(own?.body ?? '')).toEqual(JSON.parse(official?.body ?? ''));
    expect([own?.method, own?.url]).toEqual([official?.method, official?.url]);
    expect(own?.headers.authorization).toBe(official?.headers.authorization);
    expect(reply.text).toBe(completion.choices[0]?.message.content);
    expect(reply.usage?.inputTokens).toBe(completion.usage?.prompt_tokens);
  });

  test('call() sends the key as Azure wants it', async () => {
    const { origin, seen } = await servers.recording(COMPLETION);
    const client = createOpenAiClient({
      name: 'azure',
      baseUrl: `${origin}/openai/deployments/d?api-version=2024-10-21`,
      apiKey: API_KEY,
      capabilities: CAPABILITIES,
      authHeader: 'api-key',
    });
    await client.call(REQUEST, new AbortController().signal);
    await client.close();
    expect(seen[0]?.url).toBe('/openai/deployments/d/chat/completions?api-version=2024-10-21');
    expect(seen[0]?.headers['api-key']).toBe(API_KEY);
    expect(seen[0]?.headers.authorization).toBeUndefined();
  });

  const NONE = { effort: 'none' } as const;
  const LOW = { effort: 'low' } as const;
  const THINKING: readonly (readonly [
    EndpointCapabilities['reasoning'],
    NonNullable<ModelRequest['reasoning']>,
    object,
  ])[] = [
    ['object', NONE, { reasoning: { effort: 'none' } }],
    ['object', LOW, { reasoning: { effort: 'low' } }],
    ['object', { budget: 2000 }, { reasoning: { max_tokens: 2000 } }],
    ['switch', NONE, { reasoning: { enabled: false } }],
    ['switch', LOW, { reasoning_effort: 'low' }],
    ['thinking', NONE, { thinking: { type: 'disabled' } }],
    ['thinking', LOW, { reasoning_effort: 'low' }],
    ['template', NONE, { chat_template_kwargs: { enable_thinking: false } }],
    ['template', LOW, { reasoning_effort: 'low' }],
    ['none', NONE, {}],
    ['none', LOW, {}],
  ];

  test.each(THINKING)('call() to a server of the form %s with %j adds %j', async (form, reasoning, fields) => {
    const { origin, seen } = await servers.recording(COMPLETION);
    const capabilities = { ...CAPABILITIES, reasoning: form };
    const client = createOpenAiClient({ name: 'acme', baseUrl: origin, capabilities });
    await client.call(REQUEST, new AbortController().signal);
    await client.call({ ...REQUEST, reasoning }, new AbortController().signal);
    await client.close();
    const [plain, told] = seen.map(({ body }) => JSON.parse(body));
    expect(told).toEqual({ ...plain, ...fields });
    expect(Object.keys(plain)).toEqual(['model', 'messages', 'max_tokens']);
  });

  test('call() asks for log-probabilities only where the endpoint has them', async () => {
    const { origin, seen } = await servers.recording(COMPLETION);
    const capabilities = { ...CAPABILITIES, logprobs: false };
    const client = createOpenAiClient({ name: 'acme', baseUrl: origin, capabilities });
    await client.call({ ...REQUEST, logprobs: true }, new AbortController().signal);
    await client.close();
    expect(seen[0]?.body).not.toContain('logprobs');
  });
});
