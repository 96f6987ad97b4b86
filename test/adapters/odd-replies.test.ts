import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { parseMessage } from '../../src/adapters/anthropic/parse-message.ts';
import { parseGenerateContent } from '../../src/adapters/gemini/parse-generate-content.ts';
import { parseChatCompletion } from '../../src/adapters/openai-compatible/parse-chat-completion.ts';
import { parseBody, unpackBody } from '../../src/adapters/provider-http/parse-body.ts';

const ANSWER = '{"label":"billing","confidence":0.9}';
const USAGE = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
const completion = (choice: object, more: object = {}) => ({ id: 'c', choices: [choice], usage: USAGE, ...more });
const whole = { message: { role: 'assistant', content: ANSWER }, finish_reason: 'stop' };

describe('an answer that is none, whole as it may look', () => {
  it.each<readonly [string, object]>([
    ['a text as the choice’s error', completion({ ...whole, error: 'upstream stopped' })],
    ['an object as the choice’s error', completion({ ...whole, error: { code: 502 } })],
    ['an error beside the choices', completion(whole, { error: { message: 'failed' } })],
    ['a text beside the choices', completion(whole, { error: 'failed' })],
    ['MiniMax’s status', completion(whole, { base_resp: { status_code: 1000, status_msg: 'x' } })],
    ...[
      'error',
      'internal_error',
      'network_error',
      'insufficient_system_resource',
      'abort',
      'aborted',
      'cancelled',
      'model_failed',
      'timeout',
      'server_overloaded',
    ].map((reason) => [`finish_reason ${reason}`, completion({ ...whole, finish_reason: reason })] as const),
  ])('%s', (_, body) => {
    const parsed = parseChatCompletion(body);
    expect(parsed.answer).toBeUndefined();
    expect(parsed.error).toBeDefined();
    expect(parsed.usage).toMatchObject({ inputTokens: 10 });
  });

  it.each([null, '', {}, undefined])('is not told by an error of %j', (error) => {
    expect(parseChatCompletion(completion({ ...whole, error }, { error })).answer).toMatchObject({ text: ANSWER });
  });

  it.each(['sensitive', 'content_filter', 'safety', 'policy_violation', 'guardrail', 'moderated', 'blocked'])(
    'is a refusal with %s',
    (reason) => {
      expect(parseChatCompletion(completion({ ...whole, finish_reason: reason })).answer?.finish).toBe('refusal');
    },
  );

  it('is told by the upstream’s own word beside one that says nothing', () => {
    const of = (finish: string) =>
      parseChatCompletion(completion({ ...whole, finish_reason: finish, native_finish_reason: 'error' }));
    expect(of('unknown').answer).toBeUndefined();
    expect(of('stop').answer?.text).toBe(ANSWER);
  });

  it('is an error of Anthropic or Gemini inside a success', () => {
    const error = { type: 'overloaded_error', message: 'Overloaded' };
    expect(parseMessage({ type: 'error', error })).toMatchObject({ error });
    expect(parseGenerateContent({ error: { code: 503, message: 'x' } })).toMatchObject({ error: { code: 503 } });
  });
});

describe('an answer in another place', () => {
  it.each([
    ['a tool call', { content: null, tool_calls: [{ function: { name: 'f', arguments: ANSWER } }] }],
    ['a tool call with an object', { content: '', tool_calls: [{ function: { arguments: JSON.parse(ANSWER) } }] }],
    ['a function call', { content: null, function_call: { name: 'f', arguments: ANSWER } }],
    ['the field for thinking', { content: '', reasoning_content: ANSWER }],
    ['another field for thinking', { content: null, reasoning: ANSWER }],
    ['a content that is an object', { content: JSON.parse(ANSWER) }],
    [
      'a list of parts',
      {
        content: [
          { type: 'thinking', text: 'hm' },
          { type: 'output_text', text: ANSWER },
        ],
      },
    ],
  ])('%s', (_, message) => {
    expect(parseChatCompletion(completion({ message, finish_reason: 'stop' })).answer?.text).toBe(ANSWER);
  });

  it('is not thinking that was cut off', () => {
    const message = { content: '', reasoning_content: '{"label":"bug"} or maybe' };
    expect(parseChatCompletion(completion({ message, finish_reason: 'length' })).answer).toEqual({
      text: '',
      finish: 'length',
    });
  });

  it('is the input of a tool at Anthropic, and the arguments of a call at Gemini', () => {
    const content = [{ type: 'tool_use', name: 'f', input: JSON.parse(ANSWER) }];
    expect(parseMessage({ type: 'message', content, stop_reason: 'tool_use' }).answer?.text).toBe(ANSWER);
    const parts = [{ functionCall: { name: 'f', args: JSON.parse(ANSWER) } }];
    expect(parseGenerateContent({ candidates: [{ content: { parts }, finishReason: 'STOP' }] }).answer?.text).toBe(
      ANSWER,
    );
  });
});

describe('a body in another form', () => {
  const json = JSON.stringify(completion(whole));
  const bytes = Buffer.from(json);
  const read = (body: Buffer, encoding = '') =>
    parseChatCompletion(parseBody(unpackBody(body, { 'content-encoding': encoding }, 1_000_000))).answer?.text;

  it.each([
    ['gzip', gzipSync(bytes), 'gzip'],
    ['gzip that is not said', gzipSync(bytes), ''],
    ['gzip twice', gzipSync(gzipSync(bytes)), 'gzip, gzip'],
    ['brotli', brotliCompressSync(bytes), 'br'],
    ['deflate', deflateSync(bytes), 'deflate'],
    ['deflate without its head', deflateRawSync(bytes), 'deflate'],
    ['zstd', zstdCompressSync(bytes), 'zstd'],
    ['a mark in front', Buffer.from(`\uFEFF${json}`), ''],
    ['a mark in front inside gzip', gzipSync(Buffer.from(`\uFEFF\n${json}`)), 'gzip'],
    ['white space in front', Buffer.from(`\n \n${json}`), ''],
    ['a compression that was undone on the way', bytes, 'br'],
    ['a list of one', Buffer.from(`[${json}]`), ''],
  ])('%s', (_, body, encoding) => {
    expect(read(body, encoding)).toBe(ANSWER);
  });

  it('never unpacks more than is allowed', () => {
    expect(unpackBody(gzipSync(Buffer.alloc(10_000)), {}, 100).length).toBeLessThan(200);
  });

  const stream = (events: readonly unknown[], end = 'data: [DONE]\n\n') =>
    Buffer.from(
      `: comment\n\n${events.map((event) => `event: x\r\ndata: ${JSON.stringify(event)}\r\n\r\n`).join('')}${end}`,
    );
  const delta = (part: object, finish: string | null = null) => ({
    id: 'c',
    choices: [{ index: 0, delta: part, finish_reason: finish }],
  });

  it('an event stream of a chat completion, in its content or in a tool call', () => {
    const content = [
      delta({ role: 'assistant', content: '' }),
      delta({ content: ANSWER.slice(0, 9) }),
      delta({ content: ANSWER.slice(9) }, 'stop'),
      { choices: [], usage: USAGE },
    ];
    const parsed = parseChatCompletion(parseBody(stream(content)));
    expect(parsed).toMatchObject({ answer: { text: ANSWER, finish: 'stop' }, usage: { inputTokens: 10 } });
    const call = (text: string) => delta({ tool_calls: [{ index: 0, function: { arguments: text } }] });
    expect(read(stream([call(ANSWER.slice(0, 9)), call(ANSWER.slice(9)), delta({}, 'tool_calls')]))).toBe(ANSWER);
  });

  it('an event stream of Anthropic and of Gemini', () => {
    const message = {
      id: 'm',
      type: 'message',
      model: 'm',
      content: [],
      usage: { input_tokens: 10, output_tokens: 1 },
    };
    const events = [
      { type: 'message_start', message },
      ...[ANSWER.slice(0, 9), ANSWER.slice(9)].map((text) => ({
        type: 'content_block_delta',
        delta: { type: 'text_delta', text },
      })),
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 5 } },
    ];
    expect(parseMessage(parseBody(stream(events, '')))).toMatchObject({
      answer: { text: ANSWER, finish: 'stop' },
      usage: { inputTokens: 10, outputTokens: 5 },
    });
    const candidate = (text: string, more: object = {}) => ({
      candidates: [{ content: { parts: [{ text }] }, ...more }],
    });
    const gemini = [candidate(ANSWER.slice(0, 9)), candidate(ANSWER.slice(9), { finishReason: 'STOP' })];
    expect(parseGenerateContent(parseBody(stream(gemini, ''))).answer).toMatchObject({ text: ANSWER, finish: 'stop' });
  });

  it('an event stream that fails or ends early is no answer', () => {
    const begun = [delta({ content: ANSWER })];
    expect(parseChatCompletion(parseBody(stream([...begun, { error: { message: 'x' } }])))).not.toHaveProperty(
      'answer',
    );
    expect(parseChatCompletion(parseBody(stream(begun, '')))).not.toHaveProperty('answer');
  });
});
