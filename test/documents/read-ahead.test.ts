import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { DocumentParser, ParsedDocument } from '../../src/documents/document-parser.ts';
import { readDocuments } from '../../src/documents/read-documents.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../helpers/temporary-folder.ts';

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await makeTemporaryFolder('ahead');
  for (let n = 0; n < 40; n++) {
    await writeFile(`${folder.path}/${String(n).padStart(2, '0')}.html`, `${'x'.repeat(1_000)} page ${n}`);
  }
  await writeFile(`${folder.path}/20-text.txt`, 'a text between pages');
});
afterAll(() => folder[Symbol.asyncDispose]());

/** A parser whose answers the test gives, in the order it likes. */
class HeldParser implements DocumentParser {
  readonly threads = 2;
  readonly open = new Map<string, PromiseWithResolvers<ParsedDocument>>();
  most = 0;
  /** Told of each page that is asked for; default: it waits for an answer. */
  onParse: (text: string) => void = () => {};

  async parse(_: unknown, bytes: Uint8Array): Promise<ParsedDocument> {
    const text = Buffer.from(bytes).toString();
    const answer = Promise.withResolvers<ParsedDocument>();
    this.open.set(text, answer);
    this.most = Math.max(this.most, this.open.size);
    this.onParse(text);
    return await answer.promise;
  }

  /** Answers the page that was asked last first. */
  answerLast(): void {
    const [text, answer] = [...this.open].at(-1) ?? [];
    if (text === undefined) return;
    this.open.delete(text);
    answer?.resolve({ kind: 'text', text, metadata: {} });
  }

  openParquet(): Promise<never> {
    return Promise.reject(new Error('not asked here'));
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

let parser: HeldParser;
beforeEach(() => {
  parser = new HeldParser();
});

const read = (maxLineBytes = 10_000) =>
  readDocuments([{ kind: 'path', path: folder.path, reading: { parser } }], { maxLineBytes });

const ids = Array.from({ length: 40 }, (_, n) => `${String(n).padStart(2, '0')}.html`);
const inOrder = [...ids, '20-text.txt'].sort();

describe('a folder of pages', () => {
  test('keeps its order where the last page is parsed first', async () => {
    let asked = 0;
    parser.onParse = () => {
      asked += 1;
      if (parser.open.size < 8 && asked < ids.length) return;
      while (parser.open.size > 0) parser.answerLast();
    };
    const found: string[] = [];
    for await (const entry of read()) if (entry.kind === 'document') found.push(entry.document.id);
    expect(found).toEqual(inOrder);
    expect(parser.most).toBe(8);
  });

  test('is read ahead only so far while nobody takes what was read', async () => {
    const entries = read();
    const first = entries.next();
    while (parser.open.size < 16) await new Promise(setImmediate);
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect(parser.open.size).toBe(16);
    parser.onParse = () => setImmediate(() => parser.answerLast());
    while (parser.open.size > 0) parser.answerLast();
    expect((await first).value).toMatchObject({ document: { id: '00.html' } });
    await entries.return(undefined);
  });

  test('throws what reading a page throws when the turn of that page comes', async () => {
    parser.onParse = (text) => {
      const answer = parser.open.get(text);
      parser.open.delete(text);
      if (text.endsWith('page 5')) answer?.reject(new Error('the parser is broken'));
      else setImmediate(() => answer?.resolve({ kind: 'text', text, metadata: {} }));
    };
    const found: string[] = [];
    const reading = (async () => {
      for await (const entry of read()) if (entry.kind === 'document') found.push(entry.document.id);
    })();
    await expect(reading).rejects.toThrow('the parser is broken');
    expect(found).toEqual(ids.slice(0, 5));
  });

  test('has a problem in its place for a page that is too large', async () => {
    parser.onParse = () => setImmediate(() => parser.answerLast());
    const entries = await Array.fromAsync(read(100));
    expect(entries.map((entry) => entry.kind)).toEqual(
      inOrder.map((id) => (id === '20-text.txt' ? 'document' : 'problem')),
    );
  });
});
