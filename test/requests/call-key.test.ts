import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { buildModelRequest, callKey, type ModelRequest } from '../../src/requests/model-request.ts';
import { messagesJson, schemaJson } from '../../src/requests/repeated-json.ts';
import type { ModelSpec } from '../../src/workflows/workflow.ts';
import { anyCharacter } from '../helpers/any-character.ts';

const MODEL: ModelSpec = {
  name: 'small',
  provider: 'acme',
  id: 'small-2026-01-01',
  contextTokens: 32_768,
  maxOutputTokens: 1_000,
  structuredOutput: 'json_schema',
  logprobs: false,
};
const SCHEMA = { type: 'object', properties: { label: { enum: ['a "quoted" one', 'ü\n'] } } };

const keyOf = (provider: string, request: ModelRequest) =>
  createHash('sha256')
    .update(`${provider}\0${JSON.stringify(request)}`)
    .digest('base64url')
    .slice(0, 22);

test.each<[string, Partial<ModelSpec>]>([
  ['a schema', {}],
  ['no schema', { structuredOutput: 'prompt' }],
  ['a JSON object', { structuredOutput: 'json_object', logprobs: true }],
  ['a temperature', { temperature: 0.1 }],
  ['reasoning', { reasoning: { ask: { effort: 'low' }, tokens: 512 } }],
])('callKey() of a request with %s is the hash of its JSON', (_name, settings) => {
  const prompt = {
    messages: [
      { role: 'system', content: 'Rules: "one"\n\u2028' },
      { role: 'user', content: 'Täxt \ud800 \u0000' },
    ] as const,
    outputTokens: 40,
    responseSchema: { name: 'answer', schema: SCHEMA },
  };
  for (const repair of [undefined, { reply: 'no', detail: 'it has no label' }]) {
    const request = buildModelRequest({ ...MODEL, ...settings }, prompt, 'first', repair);
    expect(callKey('acme', request)).toBe(keyOf('acme', request));
  }
});

test('messagesJson() writes what JSON.stringify does, whatever was written before', () => {
  const message = fc.record({
    role: fc.constantFrom('system' as const, 'user' as const, 'assistant' as const),
    content: fc.string({ unit: anyCharacter }),
  });
  fc.assert(
    fc.property(fc.array(message), (messages) => {
      expect(messagesJson(messages)).toBe(JSON.stringify(messages));
    }),
  );
});

test('schemaJson() gives the same text for one schema again and again', () => {
  expect(schemaJson(SCHEMA)).toBe(JSON.stringify(SCHEMA));
  expect(schemaJson(SCHEMA)).toBe(JSON.stringify(SCHEMA));
});
