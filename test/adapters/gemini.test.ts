import { afterAll, describe, expect, test } from 'vitest';
import { createGeminiClient } from '../../src/adapters/gemini/client.ts';
import { parseUsageMetadata } from '../../src/adapters/gemini/parse-usage-metadata.ts';
import type { ProviderClientOptions } from '../../src/adapters/provider-http/client-options.ts';
import type { ModelReply, ModelRequest } from '../../src/providers/model-client.ts';
import { describeModelClient } from '../contract/model-client.ts';
import { API_KEY, CAPABILITIES, REQUEST } from '../contract/model-client-fixture.ts';
import { ProviderServers } from '../helpers/provider-server.ts';

const USAGE = {
  promptTokenCount: 20,
  cachedContentTokenCount: 16,
  candidatesTokenCount: 4,
  thoughtsTokenCount: 3,
  totalTokenCount: 27,
  promptTokensDetails: [{ modality: 'TEXT', tokenCount: 20 }],
};
const RESPONSE = {
  candidates: [{ content: { parts: [{ text: 'Hello' }], role: 'model' }, finishReason: 'STOP', index: 0 }],
  usageMetadata: USAGE,
  modelVersion: 'gemini-3.5-flash',
  responseId: 'mAitZ9uMFoeE-8YP',
};
/** As it comes for a prompt that the filter stopped. */
const BLOCKED = {
  promptFeedback: { blockReason: 'PROHIBITED_CONTENT' },
  usageMetadata: { promptTokenCount: 20, totalTokenCount: 20 },
  modelVersion: 'gemini-3.5-flash',
};

const finishing = (finishReason: unknown, candidate: object = {}) => ({
  ...RESPONSE,
  candidates: [{ ...RESPONSE.candidates[0], finishReason, ...candidate }],
});

describeModelClient('The Gemini client', {
  api: 'gemini',
  create: createGeminiClient,
  basePath: '/v1beta',
  keyHeader: { name: 'x-goog-api-key', value: (apiKey) => apiKey },
  reply: RESPONSE,
  usageField: 'usageMetadata',
  truncated: finishing('MAX_TOKENS'),
  refusals: [
    ['the prompt was blocked', BLOCKED],
    ['the answer was unsafe', finishing('SAFETY', { content: undefined })],
    ['the answer was copied', finishing('RECITATION', { content: { role: 'model' } })],
  ],
  withoutAnswer: { ...RESPONSE, candidates: [] },
});

const servers = new ProviderServers();
afterAll(() => servers[Symbol.asyncDispose]());

async function callAt(
  origin: string,
  request: Partial<ModelRequest> = {},
  options: Partial<ProviderClientOptions> = {},
): Promise<ModelReply> {
  const baseUrl = `${origin}/v1beta`;
  const client = createGeminiClient({
    name: 'gemini',
    baseUrl,
    apiKey: API_KEY,
    capabilities: CAPABILITIES,
    ...options,
  });
  try {
    return await client.call({ ...REQUEST, ...request }, new AbortController().signal);
  } finally {
    await client.close();
  }
}

const reading = async (response: unknown) => callAt(await servers.answering(response));

describe('Requests to Gemini', () => {
  async function sent(request: Partial<ModelRequest>, options: Partial<ProviderClientOptions> = {}) {
    const { origin, seen } = await servers.recording(RESPONSE);
    await callAt(origin, request, options);
    return { url: seen[0]?.url, body: JSON.parse(seen[0]?.body ?? '') };
  }

  test('call() sends the system prompt apart and the cap in the generation config', async () => {
    const { url, body } = await sent({});
    expect(url).toBe('/v1beta/models/small-2026-01-01:generateContent');
    expect(body).toEqual({
      systemInstruction: { parts: [{ text: 'Be brief.' }] },
      contents: [{ role: 'user', parts: [{ text: 'Grüße' }] }],
      generationConfig: { maxOutputTokens: 50 },
    });
  });

  test('call() sends schema, temperature and log-probabilities when asked', async () => {
    const schema = { type: 'object', properties: { label: { type: 'string' } }, additionalProperties: false };
    const { body } = await sent({
      temperature: 0,
      logprobs: true,
      responseFormat: { kind: 'json_schema', name: 'answer', schema },
    });
    expect(body.generationConfig).toEqual({
      maxOutputTokens: 50,
      temperature: 0,
      responseMimeType: 'application/json',
      responseJsonSchema: schema,
      responseLogprobs: true,
      logprobs: 5,
    });
  });

  test('call() asks for JSON without a schema, and for nothing where words have to do', async () => {
    const json = await sent({ responseFormat: { kind: 'json_object' } });
    expect(json.body.generationConfig).toEqual({ maxOutputTokens: 50, responseMimeType: 'application/json' });
    const words = await sent({ responseFormat: { kind: 'prompt' } });
    expect(words.body.generationConfig).toEqual({ maxOutputTokens: 50 });
  });

  test('call() asks for log-probabilities only where the endpoint has them', async () => {
    const { body } = await sent({ logprobs: true }, { capabilities: { ...CAPABILITIES, logprobs: false } });
    expect(body.generationConfig).toEqual({ maxOutputTokens: 50 });
  });

  test.each([
    [{ effort: 'none' }, { thinkingBudget: 0 }],
    [{ effort: 'minimal' }, { thinkingLevel: 'minimal' }],
    [{ effort: 'high' }, { thinkingLevel: 'high' }],
    [{ budget: 512 }, { thinkingBudget: 512 }],
  ] as const)('call() with %j sends %j, never a level and a budget', async (reasoning, thinkingConfig) => {
    const { body } = await sent({ reasoning });
    expect(body.generationConfig).toEqual({ maxOutputTokens: 50, thinkingConfig });
    const untold = await sent({ reasoning }, { capabilities: { ...CAPABILITIES, reasoning: 'none' } });
    expect(untold.body.generationConfig).toEqual({ maxOutputTokens: 50 });
  });

  test('call() gives the turns of the model their role', async () => {
    const messages = [
      { role: 'user', content: 'One' },
      { role: 'assistant', content: '{' },
      { role: 'user', content: 'Again.' },
    ] as const;
    const { body } = await sent({ messages });
    expect(body.contents.map(({ role }: { role: string }) => role)).toEqual(['user', 'model', 'user']);
    expect(body).not.toHaveProperty('systemInstruction');
  });

  test.each([
    ['gemini-3.5-flash', '/v1beta/models/gemini-3.5-flash:generateContent'],
    ['models/gemini-3.5-flash', '/v1beta/models/gemini-3.5-flash:generateContent'],
    ['tunedModels/mine', '/v1beta/tunedModels/mine:generateContent'],
    ['a?key=b#c', '/v1beta/models/a%3Fkey%3Db%23c:generateContent'],
  ])('call() of model %s goes to %s', async (modelId, path) => {
    expect((await sent({ modelId })).url).toBe(path);
  });
});

describe('Replies of Gemini', () => {
  test.each([
    ['STOP', 'stop'],
    ['MAX_TOKENS', 'length'],
    ['SAFETY', 'refusal'],
    ['RECITATION', 'refusal'],
    ['PROHIBITED_CONTENT', 'refusal'],
    ['BLOCKLIST', 'refusal'],
    ['SPII', 'refusal'],
    ['MODEL_ARMOR', 'refusal'],
    ['LANGUAGE', 'other'],
    ['MALFORMED_FUNCTION_CALL', 'other'],
    ['FINISH_REASON_UNSPECIFIED', 'other'],
    [undefined, 'other'],
  ])('call() reads finish reason %s as %s', async (finishReason, expected) => {
    expect((await reading(finishing(finishReason))).finish).toBe(expected);
  });

  test('call() leaves thoughts and other parts out of the text', async () => {
    const parts = [
      { text: 'Let me think.', thought: true },
      { text: 'Hel', thoughtSignature: 'x' },
      { functionCall: { name: 'f' } },
      { text: 'lo' },
      null,
    ];
    expect((await reading(finishing('STOP', { content: { role: 'model', parts } }))).text).toBe('Hello');
  });

  test('call() has an empty text where thinking used up the cap', async () => {
    const usageMetadata = { promptTokenCount: 20, totalTokenCount: 70, thoughtsTokenCount: 50 };
    const reply = await reading({ ...finishing('MAX_TOKENS', { content: { role: 'model' } }), usageMetadata });
    expect(reply).toMatchObject({ text: '', finish: 'length', usage: { outputTokens: 50, reasoningTokens: 50 } });
  });

  test('call() books a blocked prompt as it is charged', async () => {
    const reply = await reading(BLOCKED);
    expect(reply).toMatchObject({ text: '', finish: 'refusal', usage: { inputTokens: 20, outputTokens: 0 } });
  });

  test('call() gives the words of the filter where there is no other text', async () => {
    const feedback = { blockReason: 'OTHER', blockReasonMessage: 'Blocked.' };
    expect((await reading({ ...BLOCKED, promptFeedback: feedback })).text).toBe('Blocked.');
    const candidate = { content: undefined, finishMessage: 'Unsafe.' };
    expect((await reading(finishing('SAFETY', candidate))).text).toBe('Unsafe.');
  });

  test('call() takes the id of the response where no header names the request', async () => {
    expect((await reading(RESPONSE)).requestId).toBe('mAitZ9uMFoeE-8YP');
  });

  test('call() reads log-probabilities with their alternatives', async () => {
    const logprobsResult = {
      chosenCandidates: [{ token: 'bug', tokenId: 5, logProbability: -0.1 }, { token: '.' }],
      topCandidates: [
        {
          candidates: [
            { token: 'bug', logProbability: -0.1 },
            { token: 'other', logProbability: -2.5 },
          ],
        },
      ],
    };
    expect((await reading(finishing('STOP', { logprobsResult }))).logprobs).toEqual([
      {
        token: 'bug',
        logprob: -0.1,
        top: [
          { token: 'bug', logprob: -0.1 },
          { token: 'other', logprob: -2.5 },
        ],
      },
      { token: '.', logprob: 0 },
    ]);
  });

  test.each([null, {}, { chosenCandidates: [] }, { chosenCandidates: [{ logProbability: -1 }] }, 'x'])(
    'call() drops log-probabilities %j',
    async (logprobsResult) => {
      expect(await reading(finishing('STOP', { logprobsResult }))).not.toHaveProperty('logprobs');
    },
  );
});

describe('parseUsageMetadata()', () => {
  const base = { promptTokenCount: 20, candidatesTokenCount: 4, totalTokenCount: 24 };

  test.each([
    ['no details', base, [20, 0, 4, 0]],
    ['thinking beside the candidates', USAGE, [20, 16, 7, 3]],
    ['tool results beside the prompt', { ...base, toolUsePromptTokenCount: 10, totalTokenCount: 34 }, [30, 0, 4, 0]],
    ['no total', { promptTokenCount: 20, candidatesTokenCount: 4, thoughtsTokenCount: 2 }, [20, 0, 6, 2]],
    ['a total that knows of more', { ...base, totalTokenCount: 100 }, [20, 0, 80, 0]],
    ['a total that is too small', { ...base, totalTokenCount: 5 }, [20, 0, 4, 0]],
    ['no output', { promptTokenCount: 20, totalTokenCount: 20 }, [20, 0, 0, 0]],
  ] as const)(
    'parseUsageMetadata() reads %s',
    (_name, raw, [inputTokens, cachedInputTokens, outputTokens, reasoningTokens]) => {
      expect(parseUsageMetadata(raw)).toEqual({ inputTokens, cachedInputTokens, outputTokens, reasoningTokens });
    },
  );

  test.each([
    undefined,
    null,
    'many',
    [],
    {},
    { promptTokenCount: 20 },
    { candidatesTokenCount: 4, totalTokenCount: 4 },
    { ...base, promptTokenCount: 0 },
    { ...base, promptTokenCount: '20' },
    { ...base, candidatesTokenCount: -1 },
    { ...base, thoughtsTokenCount: 1.5 },
    { ...base, totalTokenCount: 2 ** 60 },
    { ...base, cachedContentTokenCount: 21 },
  ])('parseUsageMetadata() refuses %j', (raw) => {
    expect(parseUsageMetadata(raw)).toBeUndefined();
  });
});
