import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  access,
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FileStore } from '../../src/adapters/file-store/file-store.ts';
import { fileStoreError } from '../../src/adapters/file-store/file-store-error.ts';
import { describeObjectStore } from '../contract/object-store.ts';

const isRoot = process.getuid?.() === 0;

let base: string;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'nightmill-file-store-'));
});
afterAll(async () => {
  await rm(base, { recursive: true, force: true });
});

describeObjectStore('FileStore', {
  open: () => new FileStore(join(base, 'contract')),
  hasDownloadLinks: false,
  listsByBytes: true,
  largeBytes: 3_000_000,
});

describe('FileStore on disk', () => {
  it('reads and lists nothing before its folder exists, and creates it at the first write', async () => {
    const root = join(base, 'not', 'yet');
    const store = new FileStore(root);
    expect(await store.get('a')).toBeUndefined();
    expect(await Array.fromAsync(store.list(''))).toEqual([]);
    await store.delete(['a']);
    await expect(access(root)).rejects.toThrow('ENOENT');
    await store.put('a', Buffer.from('x'));
    expect(await readFile(join(root, 'a'), 'utf8')).toBe('x');
  });

  it('removes temporary files that are a day old, keeps younger ones and lists neither', async () => {
    const root = join(base, 'stale');
    const folder = join(root, '.nightmill-tmp');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'old'), 'x');
    await writeFile(join(folder, 'young'), 'x');
    const twoDaysAgo = new Date(Date.now() - 2 * 24 * 60 * 60 * 1000);
    await utimes(join(folder, 'old'), twoDaysAgo, twoDaysAgo);
    const store = new FileStore(root);
    await store.put('a', Buffer.of());
    await store.close();
    expect(await readdir(folder)).toEqual(['young']);
    for (const prefix of ['', '.n', '.nightmill-tmp/', '.nightmill-tmp/y']) {
      const keys = (await Array.fromAsync(store.list(prefix))).map(({ key }) => key);
      expect(keys).toEqual(prefix === '' ? ['a'] : []);
    }
    expect(await store.get('.nightmill-tmp/young')).toBeUndefined();
    await store.delete(['.nightmill-tmp/young']);
    expect(await readdir(folder)).toEqual(['young']);
    await expect(store.put('.nightmill-tmp/mine', Buffer.of())).rejects.toThrow('reserved');
  });

  it('leaves no temporary file and no empty folder behind', async () => {
    const root = join(base, 'tidy');
    const store = new FileStore(root);
    await store.put('a/b/c', Buffer.of());
    await expect(store.putStream('a/b/d', failing())).rejects.toThrow('broke');
    await store.delete(['a/b/c']);
    expect(await readdir(root)).toEqual(['.nightmill-tmp']);
    expect(await readdir(join(root, '.nightmill-tmp'))).toEqual([]);
  });

  it('creates a folder again that was removed since it was last used', async () => {
    const root = join(base, 'removed');
    const store = new FileStore(root);
    await store.put('a/b/c', Buffer.from('old'));
    await rm(join(root, 'a'), { recursive: true });
    await rm(join(root, '.nightmill-tmp'), { recursive: true });
    expect(await store.get('a/b/c')).toBeUndefined();
    await store.putAll(['a/b/c', 'a/b/d'].map((key) => ({ key, body: Buffer.from('new') })));
    expect(await readFile(join(root, 'a', 'b', 'c'), 'utf8')).toBe('new');
    expect(await readdir(join(root, '.nightmill-tmp'))).toEqual([]);
  });

  it('writes the objects before the one that it cannot write, nothing after it, and no temporary file', async () => {
    const root = join(base, 'some');
    const store = new FileStore(root);
    await store.put('b/c', Buffer.of());
    const objects = ['a', 'b', 'c'].map((key) => ({ key, body: Buffer.of() }));
    await expect(store.putAll(objects)).rejects.toThrow('Cannot write a and b and c in the store');
    expect((await readdir(root)).toSorted()).toEqual(['.nightmill-tmp', 'a', 'b']);
    expect(await readdir(join(root, '.nightmill-tmp'))).toEqual([]);
  });

  it('refuses a key that is both an object and a folder of objects', async () => {
    const store = new FileStore(join(base, 'both'));
    await store.put('a', Buffer.from('kept'));
    await store.put('b/c', Buffer.of());
    await expect(store.put('a/b', Buffer.of())).rejects.toMatchObject({ code: 'store_denied' });
    await expect(store.put('b', Buffer.of())).rejects.toThrow(/both an object and a folder/);
    expect(await store.get('a/b')).toBeUndefined();
    expect(await store.get('a')).toHaveLength(4);
  });

  it('follows the link that the root itself may be', async () => {
    await mkdir(join(base, 'real'));
    await symlink(join(base, 'real'), join(base, 'alias'));
    const store = new FileStore(join(base, 'alias'));
    await store.put('a/b', Buffer.from('x'));
    expect(await readFile(join(base, 'real', 'a', 'b'), 'utf8')).toBe('x');
    expect((await Array.fromAsync(store.list('a/'))).map(({ key }) => key)).toEqual(['a/b']);
  });

  it('does not leave its folder through a link placed inside', async () => {
    const outside = join(base, 'outside');
    const root = join(base, 'linked');
    await mkdir(join(root, 'deep'), { recursive: true });
    await mkdir(outside);
    await writeFile(join(outside, 'secret'), 'secret');
    await symlink(outside, join(root, 'folder'));
    await symlink(join(outside, 'secret'), join(root, 'deep', 'file'));
    await symlink(join(outside, 'nowhere'), join(root, 'dangling'));
    const store = new FileStore(root);
    const denied = { code: 'store_denied', message: expect.stringContaining('symbolic link') };
    await expect(store.get('folder/secret')).rejects.toMatchObject(denied);
    await expect(store.head('folder/secret')).rejects.toMatchObject(denied);
    await expect(store.getStream('deep/file')).rejects.toMatchObject(denied);
    await expect(store.put('folder/new', Buffer.of())).rejects.toMatchObject(denied);
    await expect(store.put('folder/new/er', Buffer.of())).rejects.toMatchObject(denied);
    await expect(store.put('dangling/new', Buffer.of())).rejects.toMatchObject(denied);
    await expect(store.putStream('folder/new', Readable.from(['x']))).rejects.toMatchObject(denied);
    await expect(store.delete(['folder/secret'])).rejects.toMatchObject(denied);
    await expect(Array.fromAsync(store.list('folder/'))).rejects.toMatchObject(denied);
    expect(await Array.fromAsync(store.list(''))).toEqual([]);
    expect(await readdir(outside)).toEqual(['secret']);
    await store.put('deep/file', Buffer.from('mine'));
    expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('secret');
    expect(Buffer.from((await store.get('deep/file')) ?? []).toString()).toBe('mine');
  });

  it('does not write through a temporary folder that is a link', async () => {
    const root = join(base, 'linked-temporary');
    await mkdir(join(base, 'elsewhere'));
    await mkdir(root);
    await symlink(join(base, 'elsewhere'), join(root, '.nightmill-tmp'));
    await expect(new FileStore(root).put('a', Buffer.of())).rejects.toMatchObject({ code: 'store_denied' });
  });

  it('takes a pipe for no object', async () => {
    const root = join(base, 'pipe');
    await mkdir(root);
    execFileSync('mkfifo', [join(root, 'pipe')]);
    const store = new FileStore(root);
    expect(await store.get('pipe')).toBeUndefined();
    expect(await Array.fromAsync(store.list(''))).toEqual([]);
  });

  it('fails a download whose file was cut short meanwhile', async () => {
    const root = join(base, 'cut');
    const store = new FileStore(root);
    await store.put('a', randomBytes(500_000));
    const stream = await store.getStream('a');
    await writeFile(join(root, 'a'), 'short');
    await expect(Array.fromAsync(stream ?? [])).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining('of 500000 bytes'),
    });
  });

  it('says that a file is in the way of the root, and takes no object for missing', async () => {
    await writeFile(join(base, 'plain'), '');
    const store = new FileStore(join(base, 'plain'));
    const denied = { code: 'store_denied', message: expect.stringContaining('it is a file, not a folder') };
    for (const use of [() => store.put('a', Buffer.of()), () => store.get('a/b'), () => store.delete(['a'])])
      await expect(use()).rejects.toMatchObject(denied);
    await expect(Array.fromAsync(store.list('a/'))).rejects.toMatchObject(denied);
  });

  it('takes no object for missing where the root has gone since, and finds all when it is back', async () => {
    const root = join(base, 'unmounted');
    const store = new FileStore(root);
    await store.put('a/b', Buffer.from('x'));
    await rename(root, `${root}-away`);
    const gone = { code: 'store_unavailable', message: expect.stringContaining('was there before and is gone') };
    const list = () => Array.fromAsync(store.list('a/'));
    for (const use of [() => store.get('a/b'), () => store.head('c'), list, () => store.delete(['a/b'])])
      await expect(use()).rejects.toMatchObject(gone);
    await expect(store.put('d', Buffer.of())).rejects.toMatchObject(gone);
    await expect(access(root)).rejects.toThrow('ENOENT');
    await rename(`${root}-away`, root);
    expect(await store.get('a/b')).toHaveLength(1);
    expect(await store.get('c')).toBeUndefined();
  });

  it.skipIf(isRoot)('says which path it may not write', async () => {
    const root = join(base, 'locked');
    await mkdir(root);
    await chmod(root, 0o500);
    await expect(new FileStore(root).put('a', Buffer.of())).rejects.toMatchObject({
      code: 'store_denied',
      message: expect.stringContaining(root),
    });
  });

  it.each([
    ['ENOSPC', 'store_full'],
    ['EDQUOT', 'store_full'],
    ['EACCES', 'store_denied'],
    ['EPERM', 'store_denied'],
    ['EROFS', 'store_denied'],
    ['EIO', 'store_unavailable'],
  ])('fileStoreError() turns %s into %s', (code, expected) => {
    const error = Object.assign(new Error(`${code}: failed`), { code, syscall: 'write' });
    expect(
      fileStoreError(error, {
        action: 'write a',
        root: '/data',
        realRoot: async () => '/data',
        knownFolders: new Set(),
        assertRoot: async () => {},
      }),
    ).toMatchObject({
      code: expected,
      cause: error,
    });
  });
});

describe.skipIf(!isRoot)('FileStore on a small disk (needs root)', () => {
  let disk: string;
  beforeAll(async () => {
    disk = join(base, 'disk');
    await mkdir(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]);
  });
  afterAll(() => {
    execFileSync('umount', [disk]);
  });

  it('a full disk fails the write with the path and the fix, leaves nothing and works again with room', async () => {
    const store = new FileStore(disk);
    await store.put('old', Buffer.alloc(300_000, 1));
    const full = {
      code: 'store_full',
      retryable: false,
      message: expect.stringMatching(/disk is full \(ENOSPC at .*Free some space/),
    };
    await expect(store.put('new', Buffer.alloc(2_000_000))).rejects.toMatchObject(full);
    await expect(store.putStream('new', Readable.from(chunks(40)))).rejects.toMatchObject(full);
    await expect(store.put('old', Buffer.alloc(900_000))).rejects.toMatchObject(full);
    expect((await Array.fromAsync(store.list(''))).map(({ key }) => key)).toEqual(['old']);
    expect(await readdir(join(disk, '.nightmill-tmp'))).toEqual([]);
    expect(Buffer.alloc(300_000, 1).equals((await store.get('old')) ?? Buffer.of())).toBe(true);
    await store.delete(['old']);
    await store.put('new', Buffer.alloc(800_000));
    expect((await store.head('new'))?.bytes).toBe(800_000);
  });

  it('a read-only disk denies the write and still reads', async () => {
    const store = new FileStore(disk);
    await store.put('readable', Buffer.from('x'));
    execFileSync('mount', ['-o', 'remount,ro', disk]);
    try {
      await expect(store.put('a', Buffer.of())).rejects.toMatchObject({
        code: 'store_denied',
        message: expect.stringContaining('mounted read-only (EROFS'),
      });
      await expect(store.delete(['readable'])).rejects.toMatchObject({ code: 'store_denied' });
      expect(await store.get('readable')).toHaveLength(1);
    } finally {
      execFileSync('mount', ['-o', 'remount,rw', disk]);
    }
  });
});

function failing(): Readable {
  return Readable.from(
    (function* () {
      yield 'begin';
      throw new Error('broke');
    })(),
  );
}

function* chunks(count: number): Generator<Buffer> {
  for (let index = 0; index < count; index += 1) yield Buffer.alloc(50_000);
}
