import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseInputLine } from '../../src/documents/parse-input-line.ts';
import { parseTextFile } from '../../src/documents/parse-text-file.ts';
import { toUtf8 } from '../../src/documents/to-utf8.ts';
import { NightmillError } from '../../src/errors.ts';

const parse = (bytes: Uint8Array | string, encoding?: string) =>
  parseTextFile(typeof bytes === 'string' ? Buffer.from(bytes) : bytes, { id: 'a.txt', source: 'in/a.txt', encoding });
const utf16be = (text: string) => Buffer.from(text, 'utf16le').swap16();
const utf32 = (text: string, little: boolean) => {
  const bytes = Buffer.alloc([...text].length * 4);
  [...text].forEach((character, at) => {
    const point = character.codePointAt(0) ?? 0;
    if (little) bytes.writeUInt32LE(point, at * 4);
    else bytes.writeUInt32BE(point, at * 4);
  });
  return bytes;
};
const TEXTS = [
  'My parcel is late and nobody answers.\nPlease call me back.\n',
  'Die Straße nach Köln ist gesperrt.',
  'Посылка ещё не пришла.\n',
  'Поставка за март ещё не пришла, прошу ответить сегодня.',
  '包裹还没有到，一个人也没有回答。\n请回电话。\n',
  '荷物がまだ届きません。\r\n電話をください。',
  'ab 😀 cd',
];

describe('a text file in UTF-16 or UTF-32 without a byte order mark', () => {
  test.each(TEXTS)('is read as what it is, with a warning: %j', (text) => {
    for (const [name, bytes] of [
      ['utf-16le', Buffer.from(text, 'utf16le')],
      ['utf-16be', utf16be(text)],
      ['utf-32le', utf32(text, true)],
      ['utf-32be', utf32(text, false)],
    ] as const) {
      expect(parse(bytes)).toMatchObject({
        document: { text, warnings: [`encoding_guessed: read as ${name}, without a byte order mark`] },
      });
    }
  });

  test('is read as Japanese in seven bits where its marks say so', () => {
    const bytes = Buffer.from('\x1b$B;07n\x1b(B ok', 'latin1');
    expect(parse(bytes)).toMatchObject({
      document: { text: '三月 ok', warnings: ['encoding_guessed: read as iso-2022-jp'] },
    });
  });

  test('is read without one where it has a mark', () => {
    for (const little of [true, false]) {
      expect(parse(utf32('\ufeffOne', little))).toMatchObject({ document: { id: 'a.txt', text: 'One' } });
    }
    expect(parse(Buffer.from('\ufeffOne', 'utf16le'))).toEqual({
      kind: 'document',
      document: { id: 'a.txt', text: 'One' },
      source: 'in/a.txt',
    });
  });

  test('never takes UTF-8 for it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (text) => {
        const entry = parse(`x${text.replaceAll('\0', '')}`);
        expect(entry).toMatchObject({ kind: 'document', document: { text: `x${text.replaceAll('\0', '')}` } });
      }),
    );
  });

  test('JSONL and tables are read too, and UTF-32 is refused by its name', async () => {
    const all = async (bytes: Uint8Array) =>
      Buffer.concat(await Array.fromAsync(toUtf8(fromList([bytes]), 'a.jsonl'))).toString();
    const line = '{"id":"1","text":"Köln"}\n';
    expect(await all(Buffer.from(line, 'utf16le'))).toBe(line);
    expect(await all(utf16be(line))).toBe(line);
    expect(await all(Buffer.from(line))).toBe(line);
    for (const little of [true, false]) {
      await expect(all(utf32(line, little))).rejects.toThrow(NightmillError);
    }
  });
});

async function* fromList(parts: readonly Uint8Array[]) {
  yield* parts;
}

describe('a text file that is no text is a problem that names what was seen', () => {
  test.each([
    ['a .docx', Buffer.concat([Buffer.from('PK\x03\x04\x14\0\x06\0'), deflateRawSync('x')]), 'a ZIP archive'],
    ['a PDF', Buffer.from('%PDF-1.7\n1 0 obj'), 'a PDF'],
    ['RTF', Buffer.from('{\\rtf1\\ansi Hello}'), 'an RTF document'],
    ['a .doc', Buffer.from('d0cf11e0a1b11ae10000', 'hex'), 'an old Office file'],
    ['a picture', Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), 'a PNG picture'],
    ['NUL in text', Buffer.from('abc\0def ghi jkl'), '1 NUL character'],
    ['only NUL', Buffer.alloc(100), 'characters that are not seen'],
    ['only spaces', Buffer.from(' \t\r\n\u00a0\u3000'), 'only white space'],
    ['only zero-width', Buffer.from('\u200b\u200d\ufeff\u2060\u00ad'), 'characters that are not seen'],
    ['only lost characters', Buffer.from('\ufffd\ufffd \ufffd'), 'only U+FFFD'],
    ['mostly lost characters', Buffer.from(`${'\ufffd'.repeat(20)} abc`), '20 times U+FFFD'],
  ])('%s', (_, bytes, seen) => {
    expect(parse(bytes)).toMatchObject({
      kind: 'problem',
      problem: { id: 'a.txt', message: expect.stringContaining(seen) },
    });
  });

  test('a text that has lost a few characters is read, with their number', () => {
    expect(parse('Die Stra\ufffde ist gesperrt')).toMatchObject({
      document: { warnings: [expect.stringContaining('characters_lost: 1')] },
    });
  });

  test('text that says nothing in a line is a problem too', () => {
    for (const text of [' ', '\u200b', '\ufffd\ufffd']) {
      const entry = parseInputLine(Buffer.from(JSON.stringify({ id: '1', text })), { source: 'a', line: 1 });
      expect(entry).toMatchObject({
        problem: { code: 'missing_text', message: expect.stringMatching(/^"text" has only/) },
      });
    }
  });
});

describe('a row with NUL', () => {
  test('is read without it, and says so', () => {
    const line = parseInputLine(Buffer.from('{"id":"1","text":"a\\u0000b"}'), { source: 'in.jsonl', line: 1 });
    expect(line).toMatchObject({
      document: { text: 'ab', warnings: ['nul_removed: 1 NUL characters, which are no text'] },
    });
    const only = parseInputLine(Buffer.from('{"id":"1","text":"\\u0000"}'), { source: 'in.jsonl', line: 1 });
    expect(only).toMatchObject({ kind: 'problem', problem: { code: 'missing_text' } });
  });
});
