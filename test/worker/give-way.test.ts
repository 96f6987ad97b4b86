import { describe, expect, test } from 'vitest';
import { overtaken } from '../../src/worker/give-way.ts';

const at = (batch: string, turn: number, hasBegun = false) => ({ batch, turn, hasBegun });

describe('overtaken()', () => {
  test('the last slice that has begun nothing goes back for one of another batch that goes before all of its batch', () => {
    const atWork = [at('large', 10, true), at('large', 20), at('large', 40), at('large', 30)];
    expect(overtaken(atWork, { batch: 'small', turn: 9 })).toBe(atWork[2]);
  });

  test('nothing goes back that has begun', () => {
    const atWork = [at('large', 10, true), at('large', 20), at('large', 30, true)];
    expect(overtaken(atWork, { batch: 'small', turn: 9 })).toBe(atWork[1]);
    expect(overtaken([at('large', 10, true)], { batch: 'small', turn: 9 })).toBeUndefined();
  });

  test.each([
    ['slices of one batch', 'large', 5],
    ['one that goes before some of that batch only', 'small', 15],
    ['one with the same turn', 'small', 10],
  ])('nothing changes places with %s', (_, batch, turn) => {
    expect(overtaken([at('large', 10, true), at('large', 20)], { batch, turn })).toBeUndefined();
  });

  test('batches are looked at apart: one that waits for its own first slice overtakes the other', () => {
    const atWork = [at('small', 3), at('large', 10, true), at('large', 20)];
    expect(overtaken(atWork, { batch: 'small', turn: 4 })).toBe(atWork[2]);
    expect(overtaken(atWork, { batch: 'other', turn: 4 })).toBe(atWork[2]);
    expect(overtaken([at('small', 3), at('large', 2, true), at('large', 20)], { batch: 'other', turn: 4 })).toBe(
      undefined,
    );
  });
});
