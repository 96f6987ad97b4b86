import { inspect } from 'node:util';
import { expect } from 'vitest';
import type { EndpointCapabilities } from '../../src/providers/endpoint-capabilities.ts';
import { ModelCallError } from '../../src/providers/failure.ts';
import type { ModelReply, ModelRequest } from '../../src/providers/model-client.ts';

export const API_KEY = 'sk-very-secret-0123456789';

export const CAPABILITIES: EndpointCapabilities = {
  maxTokensField: 'max_tokens',
  structuredOutput: 'json_schema',
  logprobs: true,
  temperature: true,
  promptCache: 'automatic',
  reasoning: 'effort',
};

export const REQUEST: ModelRequest = {
  modelId: 'small-2026-01-01',
  messages: [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Grüße' },
  ],
  maxOutputTokens: 50,
};

/** The error of a call that has to fail, checked for the key. */
export async function failureOf(promise: Promise<ModelReply>): Promise<ModelCallError> {
  const error = await promise.then(
    (value) => expect.fail(`expected a failure, got ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ModelCallError);
  // Everything that a logger could print of the error, hidden and inherited parts included.
  expect(inspect(error, { depth: 10, showHidden: true, maxStringLength: null })).not.toContain(API_KEY);
  return error as ModelCallError;
}
