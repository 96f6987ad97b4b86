import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openDocumentParser } from '../../src/adapters/document-parser/open-document-parser.ts';
import { MemoryStore } from '../../src/adapters/memory-store/memory-store.ts';
import type { DocumentInput, InputReading } from '../../src/documents/document-input.ts';
import { fingerprintInput } from '../../src/documents/fingerprint-input.ts';
import { spoolStream } from '../../src/documents/spool-stream.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nightmill-fingerprint-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function write(name: string, content: Uint8Array | string): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, content);
  return path;
}
const ofPaths = (...paths: string[]): Promise<string> =>
  fingerprintInput(paths.map((path) => ({ kind: 'path', path })));

describe('fingerprintInput()', () => {
  const content = '{"id":"a","text":"b"}\n'.repeat(1000);

  test('is the same for the same lines under another name, compressed, or from standard input', async () => {
    const plain = await write('a.jsonl', content);
    const same = await ofPaths(plain);
    expect(same).toMatch(/^[0-9a-f]{64}$/);
    expect(await ofPaths(await write('b.ndjson', content))).toBe(same);
    expect(await ofPaths(await write('a.jsonl.gz', gzipSync(content)))).toBe(same);
    expect(await ofPaths(await write('a.jsonl.zst', zstdCompressSync(content)))).toBe(same);
    expect(await fingerprintInput([{ kind: 'spooled', path: plain }])).toBe(same);
  });

  test('differs for other lines, another order, and another division into files', async () => {
    const [a, b] = [await write('a.jsonl', 'A\n'), await write('b.jsonl', 'B\n')];
    const both = await write('ab.jsonl', 'A\nB\n');
    const all = await Promise.all([
      ofPaths(a),
      ofPaths(b),
      ofPaths(a, b),
      ofPaths(b, a),
      ofPaths(both),
      ofPaths(a, a),
      ofPaths(),
    ]);
    expect(new Set(all).size).toBe(all.length);
  });

  test('of a folder covers names and content of its texts, and nothing else', async () => {
    await write('docs/a.txt', 'A');
    await write('docs/sub/b.md', 'B');
    const root = join(folder, 'docs');
    const first = await ofPaths(root);
    await write('docs/ignored.bin', 'x');
    expect(await ofPaths(root)).toBe(first);
    await rename(join(root, 'a.txt'), join(root, 'c.txt'));
    const renamed = await ofPaths(root);
    expect(renamed).not.toBe(first);
    await write('docs/c.txt', 'changed');
    expect(await ofPaths(root)).not.toBe(renamed);
  });

  test('of a store prefix covers keys, sizes and etags without reading, and content where there are no etags', async () => {
    const store = new MemoryStore();
    const input = { kind: 'store', store, prefix: 'in/' } as const;
    await store.put('in/a.jsonl', Buffer.from('A'));
    const first = await fingerprintInput([input]);
    await store.put('in/ignored.bin', Buffer.from('A'));
    await store.put('out/a.jsonl', Buffer.from('A'));
    expect(await fingerprintInput([input])).toBe(first);
    await store.put('in/a.jsonl', Buffer.from('B'));
    expect(await fingerprintInput([input])).not.toBe(first);

    const withoutEtags = new MemoryStore();
    withoutEtags.list = async function* () {
      yield { key: 'in/a.jsonl', bytes: 1 };
    };
    const bare = { kind: 'store', store: withoutEtags, prefix: 'in/' } as const;
    await withoutEtags.put('in/a.jsonl', Buffer.from('A'));
    const bareFirst = await fingerprintInput([bare]);
    await withoutEtags.put('in/a.jsonl', Buffer.from('B'));
    expect(await fingerprintInput([bare])).not.toBe(bareFirst);
  });

  test('differs where a page is read in another way than by default', async () => {
    const path = await write('page.html', '<p>one');
    const whole = await fingerprintInput([{ kind: 'path', path, reading: { formats: { html: 'whole' } } }]);
    expect(whole).not.toBe(await ofPaths(path));
  });

  test('refuses what is missing or damaged', async () => {
    await expect(ofPaths(join(folder, 'absent.jsonl'))).rejects.toMatchObject({ code: 'input_invalid' });
    const cut = await write('cut.jsonl.gz', gzipSync(content).subarray(0, -4));
    await expect(ofPaths(cut)).rejects.toMatchObject({ code: 'input_invalid' });
  });
});

describe('spoolStream()', () => {
  test('keeps the stream in a file of its own that only this user can read', async () => {
    const target = join(folder, 'new', 'spool');
    const { path } = await spoolStream(Readable.from([Buffer.from('one\n'), Buffer.from('two\n')]), target, '../a.csv');
    expect(await readFile(path, 'utf8')).toBe('one\ntwo\n');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const other = await spoolStream(Readable.from([Buffer.from('three')]), target, '../a.csv');
    expect(other.path).not.toBe(path);
    expect(basename(path)).toBe('a.csv');
    expect(relative(target, path)).not.toMatch(/^\.\./);
    await other[Symbol.asyncDispose]();
    expect(await readdir(target)).toHaveLength(1);
  });

  test('leaves nothing behind when the stream fails or is aborted', async () => {
    const failing = new Readable({
      read() {
        this.destroy(new Error('pipe broke'));
      },
    });
    await expect(spoolStream(failing, folder, '-')).rejects.toThrow('pipe broke');
    const endless = new Readable({ read() {} });
    await expect(spoolStream(endless, folder, '-', AbortSignal.timeout(20))).rejects.toThrow(/abort/i);
    expect(await readdir(folder)).toEqual([]);
  });

  test('says that no space is left, and leaves nothing behind', async () => {
    const module = new URL('../../src/documents/spool-stream.ts', import.meta.url).href;
    const script = `import { spoolStream } from ${JSON.stringify(module)};
      await spoolStream(process.stdin, ${JSON.stringify(folder)}, '-').catch((error) => console.log(error.code, error.message));`;
    // A file size limit of 8 blocks stands for the full disk: the write fails in the same way.
    const command = 'ulimit -f 8; head -c 1000000 /dev/zero | "$0" --input-type=module -e "$1"';
    const { stdout } = await promisify(execFile)('bash', ['-c', command, process.execPath, script]);
    expect(stdout).toMatch(/^store_full Cannot keep the input in .*: no space is left there \(EFBIG\)/);
    expect(await readdir(folder)).toEqual([]);
  });

  test('says so when the folder cannot be written to', async () => {
    const file = await write('file', 'x');
    await expect(spoolStream(Readable.from(['x']), join(file, 'sub'), '-')).rejects.toMatchObject({
      code: 'input_invalid',
    });
  });
});

describe('fingerprintInput() of tables', () => {
  test('is that of name, content, fields and encoding, and not that of folder or compression', async () => {
    await using parser = openDocumentParser();
    const inputOf = (file: string, reading: InputReading = {}): DocumentInput => ({
      kind: 'path',
      path: file,
      reading: { parser, ...reading },
    });
    const text = 'id,text\n1,a\n';
    const same = await Promise.all(
      [await write('1/docs.csv', text), await write('2/docs.csv', text)].map((path) =>
        fingerprintInput([inputOf(path)]),
      ),
    );
    expect(same[0]).toBe(same[1]);
    const path = await write('3/docs.csv', text);
    const others = await Promise.all(
      [
        inputOf(path),
        inputOf(await write('same/other.csv', text)),
        inputOf(await write('b/docs.csv', 'id,text\n1,b\n')),
        inputOf(path, { fields: { text: 'id' } }),
        inputOf(path, { fields: { id: 'id' } }),
        inputOf(path, { fields: { metadata: '*' } }),
        inputOf(path, { fields: { metadata: ['*'] } }),
        inputOf(path, { encoding: 'windows-1252' }),
      ].map((input) => fingerprintInput([input])),
    );
    expect(new Set(others).size).toBe(others.length);
  });
});
