import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import { createOpenAiClient } from '../../src/adapters/openai-compatible/client.ts';
import { LearnedParameters } from '../../src/adapters/openai-compatible/learned-parameters.ts';
import { API_KEY, CAPABILITIES, REQUEST } from '../contract/model-client-fixture.ts';
import { ProviderServers, sendJson } from '../helpers/provider-server.ts';

const servers = new ProviderServers();
afterEach(() => servers[Symbol.asyncDispose]());

const GOOD = {
  id: 'c',
  choices: [{ message: { role: 'assistant', content: '{"label":"bug"}' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 1 },
};

test('a client whose calls are all refused for two parameters learns both once, for every call that is in flight', async () => {
  const bodies: Record<string, unknown>[] = [];
  const origin = await servers.http(async (request, response) => {
    const body = JSON.parse(await text(request)) as Record<string, unknown> & { response_format?: { type: string } };
    bodies.push(body);
    if ('max_tokens' in body) {
      const message = "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead.";
      return sendJson(response, { error: { message } }, 400);
    }
    if (body.response_format?.type === 'json_schema') {
      return sendJson(
        response,
        { error: { message: "'response_format' of type 'json_schema' is not supported" } },
        400,
      );
    }
    return sendJson(response, GOOD);
  });
  const client = createOpenAiClient({
    name: 'acme',
    baseUrl: `${origin}/v1`,
    apiKey: API_KEY,
    capabilities: CAPABILITIES,
  });
  const request = {
    ...REQUEST,
    responseFormat: { kind: 'json_schema', name: 'x', schema: { type: 'object' } },
  } as const;
  try {
    const replies = await Promise.all(
      Array.from({ length: 30 }, () => client.call(request, new AbortController().signal)),
    );
    expect(replies.every((reply) => reply.text === '{"label":"bug"}')).toBe(true);
    await client.call(request, new AbortController().signal);
    // Not more than was refused: the plain object is still asked for.
    expect(bodies.at(-1)).toMatchObject({ response_format: { type: 'json_object' } });
    expect(bodies.at(-1)).toHaveProperty('max_completion_tokens');
  } finally {
    await client.close();
  }
});

const SCHEMA = { ...REQUEST, responseFormat: { kind: 'json_schema', name: 'x', schema: {} } } as const;

test.each([
  '{"error":"\'response_format.type\' must be \'text\'"}',
  '{"error":{"message":"This response_format type is unavailable now"}}',
  '{"code":20024,"message":"Json mode is not supported for this model."}',
  '{"error":{"message":"Grammar error: Unimplemented keys"}}',
  '{"detail":[{"loc":["body","response_format","type"],"msg":"Input should be \'text\'"}]}',
])('learns of the form of the answer from %s', async (body) => {
  const learned = new LearnedParameters(CAPABILITIES, { provider: 'acme', baseUrl: 'http://acme/v1' });
  expect(await learned.learn(SCHEMA, body)).toBe(true);
  expect(learned.adapt(SCHEMA).responseFormat?.kind).not.toBe('json_schema');
});

test('learns of a field that is named beside the message alone', async () => {
  const learned = new LearnedParameters(CAPABILITIES, { provider: 'acme', baseUrl: 'http://acme/v1' });
  const body = '{"detail":[{"loc":["body","max_tokens"],"msg":"Extra inputs are not permitted"}]}';
  expect(await learned.learn(REQUEST, body)).toBe(true);
  expect(learned.capabilitiesFor(REQUEST.modelId).maxTokensField).toBe('max_completion_tokens');
});

test('a lesson never makes a request ask for more than it does', async () => {
  const learned = new LearnedParameters(CAPABILITIES, { provider: 'acme', baseUrl: 'http://acme/v1' });
  const body = JSON.stringify({ error: { message: "'response_format' of type 'json_schema' is not supported" } });
  const strict = { ...REQUEST, responseFormat: { kind: 'json_schema', name: 'x', schema: {} } } as const;
  expect(await learned.learn(strict, body)).toBe(true);
  const { responseFormat: _, ...plain } = REQUEST;
  expect(learned.adapt(strict).responseFormat).toEqual({ kind: 'json_object' });
  expect(learned.adapt({ ...plain, responseFormat: { kind: 'prompt' } }).responseFormat).toEqual({ kind: 'prompt' });
  expect(learned.adapt(plain)).not.toHaveProperty('responseFormat');
});
