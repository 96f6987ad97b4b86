import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDocumentParser } from '../../src/adapters/document-parser/open-document-parser.ts';
import { MemoryStore } from '../../src/adapters/memory-store/memory-store.ts';
import type { DocumentInput } from '../../src/documents/document-input.ts';
import { fingerprintInput } from '../../src/documents/fingerprint-input.ts';
import { readDocuments } from '../../src/documents/read-documents.ts';

let root = '';
const parser = openDocumentParser();
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'nightmill-inputs-'));
});
afterAll(async () => {
  await parser[Symbol.asyncDispose]();
  await rm(root, { recursive: true });
});

async function write(name: string, content: string | Uint8Array) {
  const path = join(root, name);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, content);
}
const pathInput = (name: string): DocumentInput => ({ kind: 'path', path: join(root, name), reading: { parser } });
/** Ids of documents, `code id` of problems. */
async function ids(...inputs: readonly DocumentInput[]) {
  const entries = await Array.fromAsync(readDocuments(inputs));
  return entries.map((entry) =>
    entry.kind === 'document' ? entry.document.id : `${entry.problem.code} ${entry.problem.id}`,
  );
}

describe('a folder of JSONL, CSV, Parquet and documents', () => {
  test('is read whole, each file by its type', async () => {
    await write('mixed/a.jsonl', '{"id":"1","text":"a"}\n');
    await write('mixed/b.csv', 'text\nb\nc\n');
    await write('mixed/c.jsonl.gz', gzipSync('{"id":"2","text":"d"}\n'));
    await write('mixed/d.tsv', 'text\n"27 inch\n');
    await write('mixed/e.txt', 'e');
    await write('mixed/sub/b.csv', 'text\nb\n');
    await write(
      'mixed/sub/f.parquet',
      Buffer.from(parquetWriteBuffer({ columnData: [{ name: 'text', data: ['f'], type: 'STRING' }] })),
    );
    await write('mixed/z.png', 'x');
    expect(await ids(pathInput('mixed'))).toEqual([
      '1',
      'b.csv:1',
      'b.csv:2',
      '2',
      'd.tsv:1',
      'e.txt',
      'sub/b.csv:1',
      'sub/f.parquet:1',
    ]);
    const before = await fingerprintInput([pathInput('mixed')]);
    await write('mixed/sub/b.csv', 'text\nx\n');
    expect(await fingerprintInput([pathInput('mixed')])).not.toBe(before);
  });
});

describe('the ids of several inputs', () => {
  test('never collide, and do not depend on what else is in them', async () => {
    for (const month of ['2025/jan', '2026/jan', 'feb']) await write(`${month}/a.txt`, month);
    await write('2025/t.csv', 'text\na\n');
    await write('2026/t.csv', 'text\nb\n');
    expect(await ids(pathInput('2026/jan'))).toEqual(['a.txt']);
    expect(await ids(pathInput('2026/jan'), pathInput('feb'))).toEqual(['jan/a.txt', 'feb/a.txt']);
    expect(await ids(pathInput('2025/jan'), pathInput('2026/jan'))).toEqual(['2025/jan/a.txt', '2026/jan/a.txt']);
    expect(await ids(pathInput('2025/t.csv'), pathInput('2026/t.csv'))).toEqual(['2025/t.csv:1', '2026/t.csv:1']);
    expect(await ids(pathInput('2025/t.csv'), pathInput('feb'))).toEqual(['t.csv:1', 'feb/a.txt']);
    await write('feb/b.txt', 'b');
    expect(await ids(pathInput('2026/jan'), pathInput('feb'))).toEqual(['jan/a.txt', 'feb/a.txt', 'feb/b.txt']);
    expect(await ids(pathInput('feb'), pathInput('feb'))).toEqual([
      'feb/a.txt',
      'feb/b.txt',
      'duplicate_id feb/a.txt',
      'duplicate_id feb/b.txt',
    ]);
  });

  test('of two prefixes begin with the folders of their keys', async () => {
    const store = new MemoryStore();
    for (const key of ['jan/a.txt', 'feb/a.txt']) await store.put(key, Buffer.from(key));
    const of = (prefix: string): DocumentInput => ({ kind: 'store', store, prefix });
    expect(await ids(of('jan/'))).toEqual(['a.txt']);
    expect(await ids(of('jan/'), of('feb/'))).toEqual(['jan/a.txt', 'feb/a.txt']);
  });
});

test('an object whose key has a segment of dots is a problem of its own', async () => {
  const store = new MemoryStore();
  await store.put('in/a.txt', Buffer.from('a'));
  const list = store.list.bind(store);
  // Other programs may write such keys; this one's stores refuse to.
  store.list = async function* (prefix) {
    yield { key: 'in/../b.txt', bytes: 1 };
    yield { key: 'in/./c.jsonl', bytes: 1 };
    yield* list(prefix);
  };
  const input: DocumentInput = { kind: 'store', store, prefix: 'in/' };
  const entries = await Array.fromAsync(readDocuments([input]));
  expect(entries).toMatchObject([
    { problem: { code: 'invalid_document', source: 'in/../b.txt', message: expect.stringContaining('".." segment') } },
    { problem: { source: 'in/./c.jsonl' } },
    { document: { id: 'a.txt' } },
  ]);
  expect(await fingerprintInput([input])).toMatch(/^[0-9a-f]{64}$/);
});
