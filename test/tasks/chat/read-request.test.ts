import { describe, expect, it } from 'vitest';
import { readChatRequest } from '../../../src/tasks/chat/read-request.ts';

const messages = [{ role: 'user', content: 'Hi' }];

describe('readChatRequest()', () => {
  it('reads roles, the cap and what a model can be told, and passes over what asks for nothing', () => {
    const nothing = { model: 'x', stream: false, n: 1, user: 'u', temperature: null };
    const asked = { max_tokens: 5, max_completion_tokens: 9, stop: 'end', logprobs: true };
    expect(readChatRequest({ ...nothing, ...asked, messages })).toEqual({
      messages,
      maxTokens: 9,
      settings: { sampling: { stop: ['end'] }, logprobs: true },
    });
    expect(readChatRequest({ messages, response_format: { type: 'text' } })).toEqual({ messages, settings: {} });
  });

  it.each([
    [undefined, 'invalid_type', 'body'],
    [{ messages: [] }, 'invalid_request', 'messages'],
    [{ messages: [{ role: 'tool', content: 'x' }] }, 'invalid_value', 'messages[0].role'],
    [
      { messages: [{ role: 'user', content: [{ type: 'image_url' }] }] },
      'invalid_value',
      'messages[0].content[0].type',
    ],
    [{ messages: [{ role: 'user' }] }, 'invalid_type', 'messages[0].content'],
    [{ messages, n: 2 }, 'unsupported_parameter', 'n'],
    [{ messages, stream: true }, 'unsupported_parameter', 'stream'],
    [{ messages, tools: [] }, 'unsupported_parameter', 'tools'],
    [{ messages, temperature: 3 }, 'invalid_type', 'temperature'],
    [{ messages, max_tokens: 0 }, 'invalid_type', 'max_tokens'],
    [{ messages, stop: ['a', 'b', 'c', 'd', 'e'] }, 'invalid_type', 'stop'],
    [
      { messages, response_format: { type: 'json_schema', json_schema: { name: 'x' } } },
      'invalid_type',
      'response_format.json_schema',
    ],
  ])('names what is wrong with %j', (request, code, param) => {
    expect(readChatRequest(request)).toMatchObject({ code, param });
  });
});
