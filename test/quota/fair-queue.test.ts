import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FairQueue } from '../../src/quota/fair-queue.ts';

const at = (group: string, slice = 0, tier = 0, cost = 1) => ({ group, turn: 0, slice, tier, cost });

function takeAll(line: FairQueue<string>): string[] {
  const items: string[] = [];
  for (let next = line.take(); next !== undefined; next = line.take()) items.push(next.item);
  return items;
}

describe('FairQueue', () => {
  test('inside a group the earlier slice goes first, then the dearer tier, then the earlier call', () => {
    const line = new FairQueue<string>();
    line.push('second slice', at('a', 2));
    line.push('first', at('a', 1));
    line.push('second', at('a', 1));
    line.push('escalated', at('a', 1, 1));
    expect(takeAll(line)).toEqual(['escalated', 'first', 'second', 'second slice']);
    expect(line.take()).toBeUndefined();
  });

  test('inside a group the turn of a slice counts before all else', () => {
    const line = new FairQueue<string>();
    line.push('second', { ...at('a', 1, 1), turn: 2 });
    line.push('first', { ...at('a', 9), turn: 1 });
    expect(takeAll(line)).toEqual(['first', 'second']);
  });

  test('groups share by cost, whatever came first', () => {
    const line = new FairQueue<string>();
    for (let n = 0; n < 6; n += 1) line.push('large', at('large', 0, 0, 30));
    for (let n = 0; n < 6; n += 1) line.push('small', at('small', 0, 0, 10));
    expect(takeAll(line).slice(0, 8)).toEqual(['large', 'small', 'small', 'small', 'large', 'small', 'small', 'small']);
  });

  test('a group that comes later neither catches up nor waits', () => {
    const line = new FairQueue<string>();
    for (let n = 0; n < 100; n += 1) line.push('old', at('old'));
    for (let n = 0; n < 50; n += 1) line.take();
    for (let n = 0; n < 100; n += 1) line.push('new', at('new'));
    const next = Array.from({ length: 20 }, () => line.take()?.item);
    expect(next.filter((item) => item === 'new').length).toBeGreaterThanOrEqual(9);
    expect(next.filter((item) => item === 'new').length).toBeLessThanOrEqual(11);
  });

  test('one that was put back is next again, and its group is not charged', () => {
    const line = new FairQueue<string>();
    line.push('a', at('a', 0, 0, 100));
    line.push('b', at('b', 0, 0, 1));
    const first = line.take();
    expect(first?.item).toBe('a');
    line.requeue('a', first!.position);
    expect(line.size).toBe(2);
    expect(takeAll(line)).toEqual(['a', 'b']);
  });

  test('after many were taken for nothing, a group with one call is not behind one with a hundred', () => {
    const line = new FairQueue<string>();
    for (let n = 0; n < 100; n += 1) line.push(`large ${n}`, at('large'));
    line.push('small', at('small'));
    const taken = Array.from({ length: 64 }, () => line.take()!);
    for (const { item, position } of taken) line.requeue(item, position);
    expect(takeAll(line).indexOf('small')).toBeLessThanOrEqual(1);
    line.push('small', at('small'));
    for (let n = 0; n < 100; n += 1) line.push(`large ${n}`, at('large'));
    const some = Array.from({ length: 64 }, () => line.take()!);
    // The provider took the first two.
    for (const { item, position } of some.slice(2)) line.requeue(item, position);
    line.push('small again', at('small'));
    expect(takeAll(line).indexOf('small again')).toBeLessThanOrEqual(1);
  });

  test('one that was removed does not come, and one that is not there is not removed', () => {
    const line = new FairQueue<string>();
    line.push('a', at('g'));
    line.push('b', at('g'));
    expect(line.remove('a', at('g'))).toBe(true);
    expect(line.remove('a', at('g'))).toBe(false);
    expect(line.remove('b', at('other'))).toBe(false);
    expect(takeAll(line)).toEqual(['b']);
  });

  test('groups that always wait are served within one call of each other, for any costs', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 40, maxLength: 40 }), {
          minLength: 2,
          maxLength: 5,
        }),
        (costs) => {
          const line = new FairQueue<number>();
          for (const [group, own] of costs.entries()) {
            for (const [number, cost] of own.entries()) line.push(cost, at(`g${group}`, number, 0, cost));
          }
          const served = costs.map(() => 0);
          const left = costs.map((own) => own.length);
          while (left.every((count) => count > 0)) {
            const next = line.take()!;
            const group = Number(next.position.group.slice(1));
            served[group]! += next.item;
            left[group]! -= 1;
            if (left.every((count) => count > 0))
              expect(Math.max(...served) - Math.min(...served)).toBeLessThanOrEqual(1_000);
          }
        },
      ),
    );
  });
});
