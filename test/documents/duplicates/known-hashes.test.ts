import { readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { KnownHashes } from '../../../src/documents/duplicates/known-hashes.ts';
import { NamelessFile } from '../../../src/runtime/nameless-file.ts';
import { makeTemporaryFolder } from '../../helpers/temporary-folder.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const SHAPE = { keyWords: 3, words: 4 };

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** Keys in an order with repeats, each with its place as its value, against a Map. */
function compare(hashes: KnownHashes, keys: Iterable<readonly [number, number, number]>): void {
  const map = new Map<string, number>();
  let at = 0;
  for (const key of keys) {
    at += 1;
    const entry = Uint32Array.of(...key, at);
    const name = key.join();
    if (hashes.find(entry)?.[3] !== map.get(name)) throw new Error(`found ${hashes.find(entry)?.[3]} for ${name}`);
    if (hashes.add(entry)?.[3] !== map.get(name)) throw new Error(`added ${name} twice, or not`);
    if (!map.has(name)) map.set(name, at);
  }
  expect(hashes.size).toBe(map.size);
  for (const [name, value] of map) {
    if (hashes.find(Uint32Array.of(...name.split(',').map(Number), 0))?.[3] !== value) throw new Error(`lost ${name}`);
  }
}

/** Well mixed words, the same ones in every run. */
function* mixedKeys(count: number, different: number): Generator<[number, number, number]> {
  const word = (seed: number) => {
    const mixed = Math.imul(seed ^ (seed >>> 16), 0x85ebca6b);
    return Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35) >>> 0;
  };
  for (let index = 0; index < count; index++) {
    const seed = (index * 7_919) % different;
    yield [word(seed + 1), word(seed + 0x10000000), word(seed + 0x20000000)];
  }
}

describe('KnownHashes', () => {
  test('answers as a Map does, also with hashes that share words, whatever is kept in memory', () => {
    const few = fc.constantFrom(0, 1, 0x80000000, 0xffffffff);
    const word = fc.oneof(few, fc.nat(0xffffffff));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(word, word, word), { maxLength: 2_000, size: 'max' }),
        fc.constantFrom(1, 3, 100, undefined),
        (keys, kept) => {
          using hashes = new KnownHashes(SHAPE, kept);
          compare(hashes, keys);
        },
      ),
      { numRuns: 30 },
    );
  });

  test('a file doubles again and again and keeps every hash', () => {
    using hashes = new KnownHashes(SHAPE, 100);
    compare(hashes, mixedKeys(150_000, 100_000));
  });

  test('a thousand hashes that belong in one bucket are all kept', () => {
    using hashes = new KnownHashes(SHAPE, 10);
    compare(
      hashes,
      Array.from({ length: 1_000 }, (_, index) => [5, index % 900, 0] as const),
    );
  });

  test('of half a million hashes memory holds a few bytes each', () => {
    using hashes = new KnownHashes(SHAPE, 40_000);
    const entry = new Uint32Array(4);
    collectGarbage();
    const before = process.memoryUsage().arrayBuffers;
    for (const key of mixedKeys(500_000, 500_000)) {
      entry.set([...key, 1]);
      hashes.add(entry);
    }
    collectGarbage();
    // In memory alone 24 to 48. Two as measured, and buffers that are given back a moment later.
    expect((process.memoryUsage().arrayBuffers - before) / hashes.size).toBeLessThan(8);
  });

  test('where no temporary file can be made, all stay in memory', () => {
    vi.stubEnv('TMPDIR', '/nowhere/at/all');
    using hashes = new KnownHashes(SHAPE, 100);
    compare(hashes, mixedKeys(5_000, 3_000));
  });

  test.each([0, 1, 20, 60])('where the disk is full after %i writes, all are in memory again', (most) => {
    let writes = 0;
    const write = NamelessFile.prototype.write;
    vi.spyOn(NamelessFile.prototype, 'write').mockImplementation(function (this: NamelessFile, ...args) {
      writes += 1;
      if (writes > most) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
      write.apply(this, args);
    });
    using hashes = new KnownHashes(SHAPE, 100);
    compare(hashes, mixedKeys(60_000, 50_000));
    expect(writes).toBe(most + 1);
  });

  test('its file has no name, so nothing is left of it', async () => {
    await using folder = await makeTemporaryFolder();
    vi.stubEnv('TMPDIR', folder.path);
    using hashes = new KnownHashes(SHAPE, 10);
    compare(hashes, mixedKeys(2_000, 2_000));
    expect(readdirSync(folder.path)).toEqual([]);
  });
});
