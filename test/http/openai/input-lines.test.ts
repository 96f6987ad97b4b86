import { describe, expect, it } from 'vitest';
import { checkBatchLines, type LineRules, readBatchLine } from '../../../src/http/openai/input-lines.ts';

const rules: LineRules = {
  endpoint: '/v1/chat/completions',
  models: new Map(['triage', 'digest'].map((name) => [name, 'text'] as const)),
  maxLineBytes: 4_000,
};

function line(change: object = {}, body: object = {}): string {
  return JSON.stringify({
    custom_id: 'a',
    method: 'POST',
    url: '/v1/chat/completions',
    body: { model: 'triage', messages: [{ role: 'user', content: 'The invoice is wrong.' }], ...body },
    ...change,
  });
}

function read(text: string, endpoint = rules.endpoint) {
  return readBatchLine(Buffer.from(text), { ...rules, endpoint });
}

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (const text of texts) yield Buffer.from(text);
}

describe('readBatchLine()', () => {
  it('takes the last user message as the document, also in parts and with answers around it', () => {
    const messages = [
      { role: 'user', content: 'first' },
      { role: 'assistant', content: 'yes' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'one' },
          { type: 'text', text: 'two' },
        ],
      },
      { role: 'assistant', content: '{' },
    ];
    expect(read(line({}, { messages }))).toEqual({ customId: 'a', model: 'triage', text: 'one\ntwo' });
    expect(read('  ')).toBeUndefined();
  });

  it('takes an address with and without its version for the same', () => {
    expect(read(line({ url: '/chat/completions' }))).toMatchObject({ customId: 'a' });
    expect(read(line(), '/chat/completions')).toMatchObject({ customId: 'a' });
    expect(read(line({ url: 'https://elsewhere/v1/chat/completions' }))).toMatchObject({ code: 'invalid_url' });
  });

  it.each([
    ['{', 'invalid_json_line', null, 'This line is not parseable as valid JSON.'],
    ['[]', 'invalid_json_line', null, 'This line is not parseable as valid JSON.'],
    [line({ custom_id: '' }), 'missing_required_parameter', 'custom_id', "Missing required parameter: 'custom_id'."],
    [line({ method: null }), 'missing_required_parameter', 'method', "Missing required parameter: 'method'."],
    [line({ body: undefined }), 'missing_required_parameter', 'body', "Missing required parameter: 'body'."],
    [line({ custom_id: 7 }), 'invalid_type', 'custom_id', 'expected a string'],
    [line({ custom_id: '\u001b[31m' }), 'invalid_request', 'custom_id', 'control character'],
    [line({ method: 'GET' }), 'invalid_method', 'method', 'POST'],
    [line({}, { model: undefined }), 'invalid_request', 'body.model', 'Model parameter is required.'],
    [line({}, { model: 'm'.repeat(900) }), 'model_not_found', 'body.model', `'${'m'.repeat(100)}' is not supported`],
    [line({}, { messages: [] }), 'invalid_request', 'body.messages', 'Messages parameter is required.'],
    [line({}, { messages: [{ role: 'system', content: 'x' }] }), 'invalid_request', 'body.messages', 'no user message'],
    [line({}, { messages: [{ role: 'user', content: ' ' }] }), 'invalid_request', 'body.messages', 'white space'],
    [
      line({}, { messages: [{ role: 'user', content: [{ type: 'image_url' }] }] }),
      'invalid_request',
      'body.messages',
      'not text',
    ],
  ])('refuses %s', (text, code, param, message) => {
    const fault = read(text);
    expect(fault).toMatchObject({ code, param });
    expect((fault as { message: string }).message).toContain(message);
  });
});

describe('checkBatchLines()', () => {
  it('counts the requests of each model, and takes blank lines for nothing', async () => {
    const text = `${line()}\n\n${line({ custom_id: 'b' }, { model: 'digest' })}\r\n${line({ custom_id: 'c' })}`;
    expect(await checkBatchLines(chunks(text.slice(0, 50), text.slice(50)), rules)).toEqual({
      models: new Map([
        ['triage', 2],
        ['digest', 1],
      ]),
    });
  });

  it('names a line by its number, a hundred at most, and a file without requests', async () => {
    const twice = await checkBatchLines(chunks(`${line()}\n\n${line()}\n`), rules);
    expect(twice).toMatchObject({ faults: [{ line: 3, code: 'duplicate_custom_id' }] });
    const long = await checkBatchLines(chunks(`${'x'.repeat(4_001)}\n`), rules);
    expect(long).toMatchObject({ faults: [{ line: 1, message: expect.stringContaining('4001 bytes') }] });
    const many = await checkBatchLines(chunks('{\n'.repeat(500)), rules);
    expect('faults' in many && many.faults).toHaveLength(100);
    expect(await checkBatchLines(chunks('\n'), rules)).toMatchObject({ faults: [{ code: 'empty_file', line: null }] });
  });
});
