import { beforeEach, describe, expect, test } from 'vitest';
import { ParserPool, type PooledThread } from '../../../src/adapters/document-parser/parser-pool.ts';
import { GrowthError } from '../../../src/adapters/document-parser/parser-thread.ts';
import { type ParsedDocument, ParseError } from '../../../src/documents/document-parser.ts';

interface Asked {
  readonly text: string;
  readonly thread: number;
  answer(): void;
  fail(error: Error): void;
}

/** Documents that are parsed now, and all that were begun; a test answers them. */
let open: Asked[];
let begun: string[];
let closed: number[];
let threads: number;

beforeEach(() => {
  open = [];
  begun = [];
  closed = [];
  threads = 0;
});

function startThread(): PooledThread {
  const thread = threads++;
  return {
    parse: async (_, bytes) => {
      const { promise, resolve, reject } = Promise.withResolvers<ParsedDocument>();
      const text = Buffer.from(bytes).toString();
      const asked: Asked = {
        text,
        thread,
        answer: () => resolve({ kind: 'text', text, metadata: {} }),
        fail: reject,
      };
      begun.push(text);
      open.push(asked);
      return await promise.finally(() => open.splice(open.indexOf(asked), 1));
    },
    openParquet: () => Promise.reject(new Error('not asked here')),
    [Symbol.asyncDispose]: async () => void closed.push(thread),
  };
}

const poolOf = (size: number) => {
  const pool = new ParserPool(size, startThread);
  return { pool, parse: (text: string) => pool.parse('html', Buffer.from(text), { maxTextUnits: 1_000 }) };
};
const turn = () => new Promise(setImmediate);
const texts = () => open.map(({ text }) => text);
const find = (text: string) => open.find((asked) => asked.text === text)!;

describe('ParserPool', () => {
  test('parses as many documents at once as it has threads, and starts no more threads than there is work for', async () => {
    const { pool, parse } = poolOf(3);
    const one = parse('a');
    await turn();
    find('a').answer();
    expect(await one).toMatchObject({ text: 'a' });
    const rest = ['b', 'c', 'd', 'e'].map(parse);
    await turn();
    expect(texts()).toEqual(['b', 'c', 'd']);
    expect(new Set(open.map(({ thread }) => thread)).size).toBe(3);
    find('c').answer();
    await turn();
    expect(texts()).toEqual(['b', 'd', 'e']);
    for (const asked of [...open]) asked.answer();
    expect(await Promise.all(rest)).toMatchObject([{ text: 'b' }, { text: 'c' }, { text: 'd' }, { text: 'e' }]);
    expect(threads).toBe(3);
    await pool[Symbol.asyncDispose]();
    expect(closed.sort()).toEqual([0, 1, 2]);
  });

  test('makes a problem of the one that takes too long, and the others continue', async () => {
    const { parse } = poolOf(2);
    const [slow, other, next] = [parse('slow'), parse('other'), parse('next')];
    await turn();
    find('slow').fail(new ParseError('it takes longer than 60 seconds'));
    await turn();
    find('other').answer();
    find('next').answer();
    expect(await slow).toMatchObject({ kind: 'problem', message: expect.stringContaining('longer than 60 seconds') });
    expect(await Promise.all([other, next])).toMatchObject([{ text: 'other' }, { text: 'next' }]);
  });

  test('asks alone for each that was open while the memory was filled, so that only the one at fault is a problem', async () => {
    const { parse } = poolOf(2);
    const full = () => new GrowthError('it takes more than 1536 MB of memory');
    const [good, bomb, next] = [parse('good'), parse('bomb'), parse('next')];
    await turn();
    for (const asked of [...open]) asked.fail(full());
    await turn();
    // The one that had waited is under way; those that are asked alone wait for its end.
    expect(texts()).toEqual(['next']);
    find('next').answer();
    await turn();
    expect(texts()).toEqual(['good']);
    find('good').answer();
    await turn();
    expect(texts()).toEqual(['bomb']);
    find('bomb').fail(full());
    expect(await Promise.all([good, next])).toMatchObject([{ text: 'good' }, { text: 'next' }]);
    expect(await bomb).toMatchObject({ kind: 'problem', message: expect.stringContaining('1536 MB') });
    expect(begun).toEqual(['good', 'bomb', 'next', 'good', 'bomb']);
  });

  test('does not ask twice for one that was alone', async () => {
    const { parse } = poolOf(2);
    const bomb = parse('bomb');
    await turn();
    find('bomb').fail(new GrowthError('it takes more than 1536 MB of memory'));
    expect(await bomb).toMatchObject({ kind: 'problem' });
    expect(begun).toEqual(['bomb']);
  });

  test('starts nothing that waits once it is closed', async () => {
    const { pool, parse } = poolOf(1);
    const first = parse('first');
    const second = parse('second');
    await turn();
    await pool[Symbol.asyncDispose]();
    find('first').fail(new ParseError('its parser ended (exit code 1)'));
    expect(await first).toMatchObject({ kind: 'problem' });
    expect(await second).toMatchObject({ kind: 'problem', message: expect.stringContaining('closed') });
    expect(begun).toEqual(['first']);
  });
});
