import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeFolder } from '../../src/runtime/make-folder.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'make-folder-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('makeFolder', () => {
  it('makes those above it, with the mode, and is content with what is there', () => {
    makeFolder(join(folder, 'a/b/c'), 0o700);
    makeFolder(join(folder, 'a/b/c'), 0o700);
    expect(statSync(join(folder, 'a/b')).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, 'a/b/c')).isDirectory()).toBe(true);
  });

  it.skipIf(process.platform !== 'linux')('gives up in a folder that takes no entries', () => {
    expect(() => makeFolder('/proc/nope')).toThrow('ENOENT');
    expect(() => makeFolder('/proc/nope/deeper/still')).toThrow('ENOENT');
  });

  it('names a file that is in the way', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(() => makeFolder(join(folder, 'file'))).toThrow('EEXIST');
    expect(() => makeFolder(join(folder, 'file/below'))).toThrow('ENOTDIR');
  });
});
