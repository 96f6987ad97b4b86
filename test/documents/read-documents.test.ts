import { chmod, mkdir, mkdtemp, readdir, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MemoryStore } from '../../src/adapters/memory-store/memory-store.ts';
import type { InputEntry } from '../../src/documents/document.ts';
import type { DocumentInput } from '../../src/documents/document-input.ts';
import { type ReadOptions, type ReadSummary, readDocuments } from '../../src/documents/read-documents.ts';
import { NightmillError } from '../../src/errors.ts';
import { anyCharacter } from '../helpers/any-character.ts';

let folder: string;
let files = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nightmill-read-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function fileOf(content: Uint8Array | string, suffix = '.jsonl'): Promise<string> {
  const path = join(folder, `${files++}${suffix}`);
  await writeFile(path, content);
  return path;
}

async function folderOf(content: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(folder, 'folder-'));
  for (const [name, text] of Object.entries(content)) {
    const path = join(root, name);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, text);
  }
  return root;
}

async function read(inputs: readonly (string | DocumentInput)[], options: ReadOptions = {}): Promise<InputEntry[]> {
  const given = inputs.map(
    (input): DocumentInput => (typeof input === 'string' ? { kind: 'path', path: input } : input),
  );
  return Array.fromAsync(readDocuments(given, options));
}

/** `id@line` of a document, `code@line` of a problem. */
const shortly = (entry: InputEntry): string =>
  entry.kind === 'document'
    ? `${entry.document.id}@${entry.line ?? '-'}`
    : `${entry.problem.code}@${entry.problem.line ?? '-'}`;
const line = (id: string, text = 'text'): string => JSON.stringify({ id, text });

async function failure(inputs: readonly (string | DocumentInput)[], options?: ReadOptions): Promise<NightmillError> {
  const error = await read(inputs, options).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof NightmillError)) throw new Error(`Expected a NightmillError, got ${String(error)}`);
  return error;
}

describe('readDocuments() on JSONL', () => {
  test('gives documents and problems in order, with 1-based line numbers that count blank lines', async () => {
    const path = await fileOf(
      `\ufeff${line('a')}\r\n\r\n  \n${line('b')}\n{oops\n${line('a')}\r\n{"id":"c"}\n${line('d')}`,
    );
    const entries = await read([path]);
    expect(entries.map(shortly)).toEqual(['a@1', 'b@4', 'invalid_json@5', 'duplicate_id@6', 'missing_text@7', 'd@8']);
    for (const entry of entries) expect((entry.kind === 'document' ? entry : entry.problem).source).toBe(path);
  });

  test('reads several inputs in the order given, and finds ids used in two of them', async () => {
    const [first, second] = [
      await fileOf(`${line('b')}\n${line('a')}\n`),
      await fileOf(`${line('c')}\n${line('a')}\n`),
    ];
    expect((await read([first, second])).map(shortly)).toEqual(['b@1', 'a@2', 'c@1', 'duplicate_id@2']);
  });

  test('counts the id of a refused line as unused', async () => {
    const path = await fileOf(`{"id":"a"}\n${line('a')}\n`);
    expect((await read([path])).map(shortly)).toEqual(['missing_text@1', 'a@2']);
  });

  test.each(['.jsonl', '.ndjson', '.json', '.JSONL'])('reads %s files', async (suffix) => {
    expect((await read([await fileOf(`${line('a')}\n`, suffix)])).map(shortly)).toEqual(['a@1']);
  });

  test('gives the same for gzip and zstd, also of several members, and for compressed content without the suffix', async () => {
    const parts = [`${line('a')}\n{"id`, `":"b","text":"t"}\n`].map((part) => Buffer.from(part));
    const packed = [
      await fileOf(Buffer.concat(parts.map((part) => gzipSync(part))), '.jsonl.gz'),
      await fileOf(Buffer.concat(parts.map((part) => zstdCompressSync(part))), '.jsonl.zst'),
      await fileOf(gzipSync(Buffer.concat(parts)), '.jsonl'),
    ];
    for (const path of packed) expect((await read([path])).map(shortly)).toEqual(['a@1', 'b@2']);
  });

  test('reads spooled standard input, also compressed, and names it -', async () => {
    for (const content of [line('a'), gzipSync(line('a')), zstdCompressSync(line('a'))]) {
      const entries = await read([{ kind: 'spooled', path: await fileOf(content, '') }]);
      expect(entries).toEqual([{ kind: 'document', document: { id: 'a', text: 'text' }, source: '-', line: 1 }]);
    }
  });

  test('gives nothing for an empty file', async () => {
    expect(await read([await fileOf(''), await fileOf(gzipSync(''), '.jsonl.gz')])).toEqual([]);
  });

  test('skips a line that is too long to its end, and reads on', async () => {
    const exact = line('b', 'x'.repeat(1000 - line('b', '').length));
    const path = await fileOf(
      `${line('a')}\n${'x'.repeat(2_000_000)}\n${exact}\n${exact} \n${line('c')}\n${'y'.repeat(1_000_000)}`,
    );
    const entries = await read([path], { maxLineBytes: 1000 });
    expect(entries.map(shortly)).toEqual(['a@1', 'too_large@2', 'b@3', 'too_large@4', 'c@5', 'too_large@6']);
    expect(entries[1]).toMatchObject({ problem: { message: 'The line has 2000000 bytes; at most 1000 are allowed' } });
  });

  test('holds neither a long line nor the file', async () => {
    // Packed once: a file of many members is read as one.
    const megabyte = gzipSync(Buffer.alloc(1_000_000, 'x'));
    const members = [...new Array<Buffer>(150).fill(megabyte), gzipSync(`\n${line('a')}\n`)];
    const path = await fileOf(Buffer.concat(members), '.jsonl.gz');
    const before = process.memoryUsage();
    let highest = 0;
    const timer = setInterval(() => {
      const now = process.memoryUsage();
      highest = Math.max(highest, now.rss - before.rss);
    }, 5);
    const entries = await read([path], { maxLineBytes: 1_000_000 });
    clearInterval(timer);
    expect(entries.map(shortly)).toEqual(['too_large@1', 'a@2']);
    expect(highest).toBeLessThan(100_000_000);
  });

  test.skipIf(process.platform !== 'linux').each([
    ['plain', '.jsonl', (content: Buffer) => content],
    ['gzip', '.jsonl.gz', (content: Buffer) => gzipSync(content, { level: 0 })],
  ])('closes a %s file when the caller stops early (needs Linux)', async (_, suffix, pack) => {
    const path = await fileOf(pack(Buffer.from(`${line('a')}\n`.repeat(100_000))), suffix);
    const isOpen = async (): Promise<boolean> => {
      const links = (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ''));
      return (await Promise.all(links)).includes(path);
    };
    for await (const _ of readDocuments([{ kind: 'path', path }])) {
      expect(await isOpen()).toBe(true);
      break;
    }
    await expect.poll(isOpen).toBe(false);
  });

  test('stops when its signal is aborted', async () => {
    const path = await fileOf(`${line('a')}\n`);
    await expect(read([path], { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
  });

  test('finds as many entries as lines that are not blank, however the bytes are cut', async () => {
    const someLine = fc.oneof(
      fc.constantFrom('', ' ', '\r', '{}', '[1]', line('a'), '\t\r'),
      fc.string({ unit: anyCharacter, maxLength: 30 }).map((text) => text.replaceAll('\n', '')),
      fc.integer({ min: 0, max: 5 }).map((id) => line(String(id))),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(someLine, { maxLength: 30 }), async (lines) => {
        const content = Buffer.from(['{}', ...lines].join('\n'));
        const notBlank = content
          .toString('utf8')
          .split('\n')
          .filter((text) => text.trim() !== '');
        expect(await read([await fileOf(gzipSync(content))])).toHaveLength(notBlank.length);
      }),
      { numRuns: 50 },
    );
  });

  test('takes random bytes with no error but a NightmillError', async () => {
    const head = fc.constantFrom([], [0x1f, 0x8b], [0x1f, 0x8b, 8, 0], [0x28, 0xb5, 0x2f, 0xfd], [0xff, 0xfe], [0x5b]);
    await fc.assert(
      fc.asyncProperty(head, fc.uint8Array({ maxLength: 300 }), async (start, rest) => {
        const path = await fileOf(Buffer.from([...start, ...rest]));
        await read([path]).catch((error: unknown) => expect(error).toBeInstanceOf(NightmillError));
      }),
      { numRuns: 100 },
    );
  });
});

describe('readDocuments() refuses', () => {
  const packed = (pack: (content: Buffer) => Buffer): Buffer => pack(Buffer.from(`${line('a')}\n`.repeat(500)));

  test.each([
    ['cut gzip', '.jsonl.gz', packed(gzipSync).subarray(0, -9)],
    ['cut zstd', '.jsonl.zst', packed(zstdCompressSync).subarray(0, -9)],
    ['damaged gzip', '.jsonl.gz', packed(gzipSync).fill(0x55, 12, 30)],
    ['gzip with other bytes after its end', '.jsonl.gz', Buffer.concat([packed(gzipSync), Buffer.from('more text')])],
    [
      'zstd with other bytes after its end',
      '.jsonl.zst',
      Buffer.concat([packed(zstdCompressSync), Buffer.from('more text')]),
    ],
    ['plain text named gzip', '.jsonl.gz', Buffer.from(line('a'))],
    ['an empty file named zstd', '.jsonl.zst', Buffer.alloc(0)],
    ['zstd named gzip', '.jsonl.gz', packed(zstdCompressSync)],
    ['UTF-16 that was cut off', '.jsonl', Buffer.from(`\ufeff${line('a')}\n`, 'utf16le').subarray(0, -1)],
    ['one JSON array', '.json', Buffer.from(`[\n${line('a')}\n]`)],
    ['one JSON object over several lines', '.json', Buffer.from('{\n"id": "a"\n}')],
    ['an unknown type', '.docx', Buffer.from('PK')],
  ])('%s, naming the file', async (_, suffix, content) => {
    const path = await fileOf(content, suffix);
    const error = await failure([path]);
    expect(error).toMatchObject({ code: 'input_invalid', exitCode: 2, retryable: false });
    expect(error.message).toContain(path);
  });

  test('what does not exist, saying what is supported', async () => {
    const error = await failure([join(folder, 'absent.jsonl')]);
    expect(error).toMatchObject({ code: 'input_invalid' });
    expect(error.message).toMatch(/absent\.jsonl.*ENOENT.*\.jsonl.*\.zst.*\.md/);
  });

  test('a device, which cannot be read twice', async () => {
    expect((await failure(['/dev/zero'])).message).toContain('neither a file nor a folder');
  });

  test.skipIf(process.getuid?.() === 0)('an unreadable file (needs a user other than root)', async () => {
    const path = await fileOf(line('a'));
    await chmod(path, 0);
    expect((await failure([path])).message).toContain('EACCES');
  });

  test('a folder without documents, saying what it has', async () => {
    expect((await failure([await folderOf({})])).message).toContain('It is empty');
    const error = await failure([await folderOf({ 'data.xlsx': 'a,b', 'x/y.png': line('a') })]);
    expect(error).toMatchObject({ code: 'input_invalid' });
    expect(error.message).toContain('It has data.xlsx, x/y.png');
  });
});

describe('readDocuments() on text files', () => {
  test('reads a folder in byte order of paths, with relative paths as ids, and tells what it ignored', async () => {
    const root = await folderOf({
      'b.txt': 'B',
      'a/z.md': 'Z',
      'a.txt': '\ufeffA',
      'a-b.TXT': 'AB',
      '\u{1f600}.txt': 'emoji',
      '\uff5e.txt': 'wide',
      'empty.txt': '',
      'image.png': 'P',
      '.hidden.txt': 'H',
      '.git/x.txt': 'G',
    });
    const summaries: ReadSummary[] = [];
    const entries = await read([`${root}/`], { onSummary: (summary) => summaries.push(summary) });
    expect(entries.map(shortly)).toEqual([
      'a-b.TXT@-',
      'a.txt@-',
      'a/z.md@-',
      'b.txt@-',
      'missing_text@-',
      '\uff5e.txt@-',
      '\u{1f600}.txt@-',
    ]);
    expect(entries[1]).toEqual({ kind: 'document', document: { id: 'a.txt', text: 'A' }, source: join(root, 'a.txt') });
    expect(summaries).toMatchObject([{ documents: 6, problems: 1, ignored: 3 }]);
    expect(summaries[0]?.ignoredExamples).toEqual(['.git', '.hidden.txt', 'image.png'].map((name) => join(root, name)));
  });

  test('follows links to files inside the folder, and makes a problem of those that leave it or lead nowhere', async () => {
    const root = await folderOf({ 'a.txt': 'A', 'sub/b.txt': 'B' });
    const outside = await fileOf('secret', '.txt');
    await symlink(outside, join(root, 'out.txt'));
    await symlink('sub/b.txt', join(root, 'in.txt'));
    await symlink('nowhere', join(root, 'broken.txt'));
    await symlink('..', join(root, 'sub', 'circle'));
    const entries = await read([root]);
    expect(entries.map(shortly)).toEqual([
      'a.txt@-',
      'invalid_document@-',
      'in.txt@-',
      'invalid_document@-',
      'sub/b.txt@-',
    ]);
    expect(JSON.stringify(entries)).not.toContain('"secret"');
    expect(entries[3]).toMatchObject({ problem: { id: 'out.txt', source: join(root, 'out.txt') } });
  });

  test('does not hold a file that is too large', async () => {
    const root = await folderOf({ 'a.txt': 'x'.repeat(1001), 'b.txt': 'x'.repeat(1000) });
    expect((await read([root], { maxLineBytes: 1000 })).map(shortly)).toEqual(['too_large@-', 'b.txt@-']);
  });

  test('reads one text file by its name', async () => {
    const root = await folderOf({ 'note.md': '# Note' });
    expect(await read([join(root, 'note.md')])).toMatchObject([{ document: { id: 'note.md', text: '# Note' } }]);
  });
});

describe('readDocuments() on a store', () => {
  async function storeOf(objects: Readonly<Record<string, Uint8Array | string>>): Promise<MemoryStore> {
    const store = new MemoryStore();
    for (const [key, body] of Object.entries(objects)) await store.put(key, Buffer.from(body));
    return store;
  }

  test('reads lines and texts under a prefix in key order', async () => {
    const store = await storeOf({
      'inbox/b.jsonl': `${line('b1')}\nbad\n`,
      'inbox/a.jsonl.gz': gzipSync(line('a1')),
      'inbox/c.ndjson.zst': zstdCompressSync(line('c1')),
      'inbox/d/note.txt': 'note',
      'inbox/skip.bin': 'x',
      'other/e.jsonl': line('e1'),
    });
    let summary: ReadSummary | undefined;
    const entries = await read([{ kind: 'store', store, prefix: 'inbox/' }], {
      onSummary: (given) => {
        summary = given;
      },
    });
    expect(entries.map(shortly)).toEqual(['a1@1', 'b1@1', 'invalid_json@2', 'c1@1', 'd/note.txt@-']);
    expect(entries[0]).toMatchObject({ source: 'inbox/a.jsonl.gz' });
    expect(summary).toMatchObject({ ignored: 1, ignoredExamples: ['inbox/skip.bin'] });
  });

  test('reads the one object with that very key', async () => {
    const store = await storeOf({ 'in/a.jsonl': line('a'), 'in/a.jsonl.bak.jsonl': line('b') });
    expect((await read([{ kind: 'store', store, prefix: 'in/a.jsonl' }])).map(shortly)).toEqual(['a@1']);
  });

  test('refuses a prefix without documents, and a damaged object, naming them', async () => {
    const store = await storeOf({ 'bad.jsonl.gz': gzipSync('x'.repeat(999)).subarray(0, -5) });
    expect((await failure([{ kind: 'store', store, prefix: 'nothing/' }])).message).toContain('"nothing/"');
    expect((await failure([{ kind: 'store', store, prefix: 'bad' }])).message).toContain('bad.jsonl.gz');
  });

  test('says so when an object vanishes between listing and reading', async () => {
    const store = await storeOf({ 'in/a.jsonl': line('a') });
    store.getStream = async () => undefined;
    expect(await failure([{ kind: 'store', store, prefix: 'in/' }])).toMatchObject({ code: 'input_changed' });
  });
});
