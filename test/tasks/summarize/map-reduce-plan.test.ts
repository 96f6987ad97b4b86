import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planMapReduce } from '../../../src/tasks/summarize/map-reduce-plan.ts';

describe('planMapReduce()', () => {
  it('needs no reduce call for one part', () => {
    expect(planMapReduce(1, 4)).toEqual({ mapCalls: 1, levels: [], calls: 1 });
  });

  it('reads all notes in one call where they fit', () => {
    expect(planMapReduce(4, 4)).toEqual({ mapCalls: 4, levels: [[[0, 4]]], calls: 5 });
  });

  it('spreads the notes evenly over the calls of a level', () => {
    expect(planMapReduce(5, 4)).toEqual({
      mapCalls: 5,
      levels: [
        [
          [0, 2],
          [2, 5],
        ],
        [[0, 2]],
      ],
      calls: 8,
    });
  });

  it('passes a note that is alone in its group on without a call', () => {
    expect(planMapReduce(3, 2)).toEqual({
      mapCalls: 3,
      levels: [
        [
          [0, 1],
          [1, 3],
        ],
        [[0, 2]],
      ],
      calls: 5,
    });
  });

  it('refuses a window that holds fewer than two notes, because such a tree never ends', () => {
    expect(() => planMapReduce(3, 1)).toThrow(/at least two notes; this window holds 1/);
  });

  it('ends in one call, reads every note once, and its calls and depth are known', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 2, max: 40 }), (parts, fanIn) => {
        const { mapCalls, levels, calls } = planMapReduce(parts, fanIn);
        expect(mapCalls).toBe(parts);
        let width = parts;
        for (const level of levels) {
          expect(level[0]?.[0]).toBe(0);
          expect(level.at(-1)?.[1]).toBe(width);
          for (const [index, [from, to]] of level.entries()) {
            expect(to - from).toBeGreaterThanOrEqual(1);
            expect(to - from).toBeLessThanOrEqual(fanIn);
            if (index > 0) expect(level[index - 1]?.[1]).toBe(from);
          }
          width = level.length;
        }
        expect(width).toBe(1);
        const groups = levels.flat().filter(([from, to]) => to - from > 1);
        expect(calls).toBe(parts + groups.length);
        expect(levels.length).toBeLessThanOrEqual(Math.ceil(Math.log2(parts)));
      }),
    );
  });
});
