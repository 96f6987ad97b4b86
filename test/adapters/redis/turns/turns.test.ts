import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { MAX_BYTES, MAX_CALLS, Turns } from '../../../../src/adapters/redis/turns/turns.ts';
import { NightmillError } from '../../../../src/errors.ts';

interface Item {
  readonly name: string;
  readonly group?: string;
  readonly bytes?: number;
}

/** What was asked together, by name; `fail` throws for what a script would stumble over. */
function recorder(fail: (names: readonly string[]) => Error | undefined = () => undefined, gatherMs = 0) {
  const scripts: string[][] = [];
  const turns = new Turns<Item, string>({
    gatherMs,
    groupOf: ({ group }) => group ?? '',
    bytesOf: ({ bytes }) => bytes ?? 0,
    ask: async (items) => {
      const names = items.map(({ name }) => name);
      scripts.push(names);
      const error = fail(names);
      if (error !== undefined) throw error;
      return names.map((name) => `answer to ${name}`);
    },
  });
  return { scripts, turns };
}

const named = (count: number, bytes = 0) =>
  Array.from({ length: count }, (_, index) => ({ name: String(index), bytes }));

describe('Turns', () => {
  test('what comes in one turn of the event loop is asked together, and each gets its own answer', async () => {
    const { scripts, turns } = recorder();
    const [first, second] = [turns.add({ name: 'a' }), turns.add({ name: 'b' })];
    expect(scripts).toEqual([]);
    expect(await Promise.all([first, second])).toEqual(['answer to a', 'answer to b']);
    await turns.add({ name: 'c' });
    expect(scripts).toEqual([['a', 'b'], ['c']]);
  });

  test('what may wait is asked together with what comes a little later', async () => {
    const { scripts, turns } = recorder(undefined, 20);
    const first = turns.add({ name: 'a' });
    await nextTurn();
    const second = turns.add({ name: 'b' });
    expect(scripts).toEqual([]);
    expect(await Promise.all([first, second])).toEqual(['answer to a', 'answer to b']);
    expect(scripts).toEqual([['a', 'b']]);
  });

  test('what may wait does not wait any longer where it fills a script', async () => {
    const { scripts, turns } = recorder(undefined, 1_000_000);
    const answers = await Promise.all(named(MAX_CALLS + 1).map((item) => turns.add(item)));
    expect(answers.at(-1)).toBe(`answer to ${MAX_CALLS}`);
    expect(scripts.map(({ length }) => length)).toEqual([MAX_CALLS, 1]);
  });

  test('only items of one group are asked together', async () => {
    const { scripts, turns } = recorder();
    await Promise.all(['x', 'y', 'x'].map((group, index) => turns.add({ name: `${group}${index}`, group })));
    expect(scripts).toEqual([['x0', 'x2'], ['y1']]);
  });

  test('a turn is cut at the most calls and the most bytes of one script; a larger item goes alone', async () => {
    const many = recorder();
    await Promise.all(named(2 * MAX_CALLS + 1).map((item) => many.turns.add(item)));
    expect(many.scripts.map(({ length }) => length)).toEqual([MAX_CALLS, MAX_CALLS, 1]);
    const large = recorder();
    const items = [
      ...named(4, MAX_BYTES / 4),
      { name: 'small', bytes: 1 },
      { name: 'huge', bytes: 2 * MAX_BYTES },
      ...named(1),
    ];
    await Promise.all(items.map((item) => large.turns.add(item)));
    expect(large.scripts).toEqual([['0', '1', '2', '3'], ['small'], ['huge'], ['0']]);
  });

  test('an error of one item does not meet the others: each is asked again alone', async () => {
    const { scripts, turns } = recorder((names) => (names.includes('bad') ? new Error('WRONGTYPE') : undefined));
    const answers = await Promise.allSettled(['a', 'bad', 'b'].map((name) => turns.add({ name })));
    expect(answers).toEqual([
      { status: 'fulfilled', value: 'answer to a' },
      { status: 'rejected', reason: new Error('WRONGTYPE') },
      { status: 'fulfilled', value: 'answer to b' },
    ]);
    expect(scripts).toEqual([['a', 'bad', 'b'], ['a'], ['bad'], ['b']]);
  });

  test('a server that is out of reach is not asked again for each', async () => {
    const away = new NightmillError('redis_unavailable', 'gone');
    const { scripts, turns } = recorder(() => away);
    const answers = await Promise.allSettled(['a', 'b'].map((name) => turns.add({ name })));
    expect(answers).toEqual(Array(2).fill({ status: 'rejected', reason: away }));
    await nextTurn();
    expect(scripts).toEqual([['a', 'b']]);
  });
});
