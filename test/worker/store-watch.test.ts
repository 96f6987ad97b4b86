import { expect, test } from 'vitest';
import { StoreError } from '../../src/errors.ts';
import { StoreWatch } from '../../src/worker/store-watch.ts';

const DENIED = new StoreError('store_denied', 'Cannot write: the key is wrong.');

function watched(answers: readonly ('works' | 'fails')[]) {
  const rests: number[] = [];
  const seen: string[] = [];
  const left = [...answers];
  const restored = Promise.withResolvers<void>();
  const watch = new StoreWatch({
    probe: async () => {
      seen.push('probe');
      if (left.shift() !== 'works') throw DENIED;
    },
    rest: async (milliseconds) => {
      rests.push(milliseconds);
    },
    onTrouble: ({ message }) => seen.push(`trouble ${message}`),
    onRestored: () => {
      seen.push('restored');
      restored.resolve();
    },
  });
  return { watch, rests, seen, restored: restored.promise };
}

test('trouble begins once, however many steps fail, and ends with the first probe that works', async () => {
  const { watch, rests, seen, restored } = watched(['fails', 'fails', 'fails', 'works']);
  expect(await Promise.all([watch.blames(DENIED), watch.blames(DENIED), watch.blames(DENIED)])).toEqual([
    true,
    true,
    true,
  ]);
  await restored;
  expect(watch.trouble).toBeUndefined();
  expect(seen).toEqual(['probe', `trouble ${DENIED.message}`, 'probe', 'probe', 'probe', 'restored']);
  expect(rests).toEqual([2_000, 4_000, 8_000]);
});

test('an error of one object, while a probe works, is not the store’s', async () => {
  const { watch, seen } = watched(['works']);
  expect(await watch.blames(DENIED)).toBe(false);
  expect(watch.trouble).toBeUndefined();
  expect(seen).toEqual(['probe']);
});

test('other errors are not looked at', async () => {
  const { watch, seen } = watched([]);
  expect(await watch.blames(new Error('something else'))).toBe(false);
  expect(seen).toEqual([]);
});

test('a worker that ends stops probing', async () => {
  const rest = Promise.withResolvers<void>();
  let probes = 0;
  const watch = new StoreWatch({
    probe: async () => {
      probes += 1;
      throw DENIED;
    },
    rest: () => rest.promise,
    onTrouble: () => {},
    onRestored: () => {},
  });
  expect(await watch.blames(DENIED)).toBe(true);
  watch.end();
  rest.resolve();
  await rest.promise;
  expect(watch.trouble).toBe(DENIED.message);
  expect(probes).toBe(1);
});
