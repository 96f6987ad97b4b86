import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { FairClock, type QueueKeys } from '../../../src/adapters/redis/fair-clock.ts';
import { RedisKeys } from '../../../src/adapters/redis/keys.ts';
import { type FairShare, HEAD_START_TOKENS, priorityAt } from '../../../src/batches/fair-share.ts';
import { type RedisServer, startRedisServer } from '../../helpers/redis-server.ts';

let server: RedisServer;
let redis: Redis;
let queue: TestQueue;

beforeAll(async () => {
  server = await startRedisServer();
  redis = await server.connect();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  queue = new TestQueue(redis);
});

let queues = 0;

interface Slice {
  readonly flow: string;
  readonly number: number;
}

/** A queue that keeps its jobs as BullMQ does: score = priority, then order of arrival. */
class TestQueue {
  readonly #redis: Redis;
  readonly clock: FairClock;
  readonly redisKeys: RedisKeys;
  readonly keys: QueueKeys;
  readonly #prefix: string;
  #added = 0;

  constructor(connection: Redis) {
    queues += 1;
    this.#redis = connection;
    this.redisKeys = new RedisKeys(`fair-${queues}`);
    this.clock = new FairClock(connection, this.redisKeys);
    this.#prefix = `${this.redisKeys.bullmqPrefix}:triage`;
    this.keys = {
      prioritized: `${this.#prefix}:prioritized`,
      active: `${this.#prefix}:active`,
      delayed: `${this.#prefix}:delayed`,
    };
  }

  jobKey(flow: string, number: number): string {
    return `${this.#prefix}:${flow}.${number}`;
  }

  async add(share: FairShare, numbers: readonly number[]): Promise<readonly number[]> {
    const jobKeys = numbers.map((number) => this.jobKey(share.flow, number));
    await using turns = await this.clock.reserve('triage', share, this.keys, jobKeys);
    for (const [index, number] of numbers.entries()) {
      if ((await this.#redis.hsetnx(jobKeys[index] ?? '', 'data', number)) === 0) continue;
      await this.put(share.flow, number, turns.ends[index] ?? 0);
    }
    return turns.ends;
  }

  async put(flow: string, number: number, end: number): Promise<void> {
    this.#added += 1;
    await this.#redis.zadd(this.keys.prioritized, priorityAt(end) * 2 ** 32 + this.#added, `${flow}|${number}`);
  }

  /** The next slice stays in hand, as BullMQ keeps it. */
  async take(): Promise<void> {
    const [member = '', score] = await this.#redis.zpopmin(this.keys.prioritized);
    const id = member.replace('|', '.');
    await this.#redis.hset(`${this.#prefix}:${id}`, 'priority', Math.floor(Number(score) / 2 ** 32));
    await this.#redis.lpush(this.keys.active, id);
  }

  /** The next slice, worked on and done. */
  async serve(): Promise<Slice | undefined> {
    const [member] = await this.#redis.zpopmin(this.keys.prioritized);
    if (member === undefined) return undefined;
    const [flow = '', number] = member.split('|');
    await this.#redis.del(this.jobKey(flow, Number(number)));
    return { flow, number: Number(number) };
  }

  async serveAll(): Promise<readonly Slice[]> {
    const served: Slice[] = [];
    for (let slice = await this.serve(); slice !== undefined; slice = await this.serve()) served.push(slice);
    return served;
  }
}

const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, index) => from + index);
const share = (flow: string, span: number, headStart = HEAD_START_TOKENS): FairShare => ({ flow, span, headStart });

/** Flows that came together and all still wait: [flow, tokens of a slice, weight as a divisor]. */
const backlogs = fc.array(
  fc.record({
    slice: fc.integer({ min: 500, max: 100_000 }),
    weight: fc.constantFrom(1, 1, 0.5, 0.25, 8),
    slices: fc.integer({ min: 2, max: 40 }),
  }),
  { minLength: 2, maxLength: 5 },
);

test('flows that wait together have had the same tokens by weight, up to one slice of each', async () => {
  await fc.assert(
    fc.asyncProperty(backlogs, async (flows) => {
      const fresh = new TestQueue(redis);
      for (const [index, { slice, weight, slices }] of flows.entries()) {
        await fresh.add(share(String(index), Math.round(slice / weight)), numbers(slices));
      }
      const served = flows.map(() => 0);
      for (;;) {
        const next = await fresh.serve();
        if (next === undefined) break;
        const index = Number(next.flow);
        served[index] = (served[index] ?? 0) + 1;
        // From here on one of them does not wait any more.
        if (flows.some(({ slices }, flow) => served[flow] === slices)) break;
        const service = flows.map(({ slice, weight }, flow) => ({
          normalised: ((served[flow] ?? 0) * slice) / weight,
          length: slice / weight,
        }));
        for (const a of service) {
          for (const b of service) {
            // One step of the priorities: 32 tokens, and a 65,536th of the time.
            const step = 64 + (a.normalised + b.normalised + HEAD_START_TOKENS) / 32_768;
            expect(Math.abs(a.normalised - b.normalised)).toBeLessThanOrEqual(a.length + b.length + step);
          }
        }
      }
    }),
    { numRuns: 25 },
  );
});

test('the turns of a flow never go back, whatever is added and served in between', async () => {
  const step = fc.oneof(
    fc.record({ flow: fc.nat({ max: 3 }), span: fc.integer({ min: 1, max: 2e9 }), slices: fc.nat({ max: 20 }) }),
    fc.record({ serve: fc.integer({ min: 1, max: 15 }) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const fresh = new TestQueue(redis);
      // Something is always in hand, so that time never starts again.
      await redis.lpush(fresh.keys.active, 'another');
      const last = new Map<number, number>();
      let added = 0;
      for (const one of steps) {
        if ('serve' in one) {
          for (let count = 0; count < one.serve; count += 1) await fresh.serve();
          continue;
        }
        const ends = await fresh.add(share(String(one.flow), one.span), numbers(one.slices, added));
        added += one.slices;
        for (const end of ends) {
          expect(end).toBeGreaterThan(last.get(one.flow) ?? 0);
          last.set(one.flow, end);
        }
      }
    }),
    { numRuns: 40 },
  );
});

test('a small batch that comes late does not wait for a large one, and costs it no more than its own tokens', async () => {
  await queue.add(share('large', 100_000), numbers(300));
  for (let count = 0; count < 100; count += 1) await queue.serve();
  await queue.add(share('small', 20_000), numbers(4));
  const order = await queue.serveAll();
  expect(order.slice(0, 4).map(({ flow }) => flow)).toEqual(['small', 'small', 'small', 'small']);
  expect(order).toHaveLength(204);
});

test('a flow that comes late goes before slices in hand too, a low priority behind those that wait', async () => {
  const ends = await queue.add(share('large', 50_000), numbers(40));
  for (let count = 0; count < 20; count += 1) await queue.serve();
  for (let count = 0; count < 8; count += 1) await queue.take();
  const [first = 0] = await queue.add(share('small', 1_000), [0]);
  // Turns are told apart by 32 tokens.
  expect(Math.abs(first - ((ends[20] ?? 0) - HEAD_START_TOKENS + 1_000))).toBeLessThanOrEqual(32);
  const [low = 0] = await queue.add(share('low', 1_000, 0), [0]);
  expect(low).toBeGreaterThan(ends[28] ?? 0);
});

test('a slice that stays in hand while thousands are served holds time back by one full slice each in hand', async () => {
  const ends = await queue.add(share('large', 50_000), numbers(100));
  await queue.take();
  for (let count = 0; count < 90; count += 1) await queue.serve();
  const [first = 0] = await queue.add(share('small', 1_000), [0]);
  expect(Math.abs(first - ((ends[91] ?? 0) - 100_000 - HEAD_START_TOKENS + 1_000))).toBeLessThanOrEqual(64);
});

test('a flow that comes again and again gets its head start once, not with every batch', async () => {
  await queue.add(share('large', 10_000), numbers(200));
  let small = 0;
  let large = 0;
  for (let batch = 0; batch < 20; batch += 1) {
    await queue.add(share('small', 10_000), numbers(10, batch * 10));
    for (let count = 0; count < 6; count += 1) {
      if ((await queue.serve())?.flow === 'small') small += 1;
      else large += 1;
    }
  }
  expect(small - large).toBeLessThanOrEqual(HEAD_START_TOKENS / 10_000 + 2);
  expect(large).toBeGreaterThan(40);
});

test('slices that wait already are not charged again, and missing ones go behind the flow’s others', async () => {
  const first = await queue.add(share('a', 10_000), numbers(10));
  const done = await queue.serve();
  const again = await queue.add(share('a', 10_000), numbers(10));
  expect(done?.number).toBe(0);
  expect(again[0]).toBe((first.at(-1) ?? 0) + 10_000);
  const finish = await redis.zscore(queue.redisKeys.fairFlows('triage'), 'a');
  expect(Number(finish)).toBe((first.at(-1) ?? 0) + 10_000);
  expect((await queue.serveAll()).map(({ number }) => number)).toEqual([...numbers(9, 1), 0]);
});

test('time starts again when nothing waits, is in hand, or is being added, and only then', async () => {
  const [, secondEnd] = await queue.add(share('a', 1_000_000), numbers(2));
  await queue.serveAll();
  await redis.lpush(queue.keys.active, 'in hand');
  const [whileInHand = 0] = await queue.add(share('b', 10), [0]);
  expect(whileInHand).toBe((secondEnd ?? 0) - HEAD_START_TOKENS + 10);
  await queue.serveAll();
  await redis.del(queue.keys.active);

  await redis.zadd(queue.keys.delayed, 1, 'to be tried again');
  const [whileDelayed = 0] = await queue.add(share('c', 10), [0]);
  expect(whileDelayed).toBeGreaterThanOrEqual(whileInHand);
  await queue.serveAll();
  await redis.del(queue.keys.delayed);

  const turns = await queue.clock.reserve('triage', share('d', 10), queue.keys, [queue.jobKey('d', 0)]);
  await queue.add(share('e', 10), [0]);
  await queue.serveAll();
  expect(await redis.zscore(queue.redisKeys.fairFlows('triage'), 'd')).not.toBeNull();
  await turns[Symbol.asyncDispose]();

  expect(await queue.add(share('f', 10), [0])).toEqual([10]);
  expect(await redis.zrange(queue.redisKeys.fairFlows('triage'), '0', '-1')).toEqual(['f', 'front', 'now']);
});

test('a producer that died while it added keeps time from starting over only until its reservation ends', async () => {
  await queue.clock.reserve('triage', share('dead', 50_000), queue.keys, [queue.jobKey('dead', 0)]);
  await redis.zadd(
    queue.redisKeys.fairAdding('triage'),
    'XX',
    1,
    (await redis.zrange(queue.redisKeys.fairAdding('triage'), '0', '0'))[0] ?? '',
  );
  expect(await queue.add(share('a', 10), [0])).toEqual([10]);
});

test('a slice that comes back with an old turn goes first and does not turn time back', async () => {
  const ends = await queue.add(share('a', 1_000_000), numbers(10));
  for (let count = 0; count < 6; count += 1) await queue.serve();
  const [before = 0] = await queue.add(share('b', 1_000, 0), [0]);
  await queue.put('a', 2, ends[2] ?? 0);
  const [after = 0] = await queue.add(share('c', 1_000, 0), [0]);
  expect(after).toBe(before);
  expect((await queue.serve())?.number).toBe(2);
});

test('Redis keeps one entry for each flow that is ahead, none for a slice or for a flow that was caught up with', async () => {
  for (let batch = 0; batch < 50; batch += 1) await queue.add(share(`small-${batch}`, 10), numbers(3));
  await queue.add(share('large', 100_000), numbers(100));
  for (let count = 0; count < 200; count += 1) await queue.serve();
  await queue.add(share('last', 10), [0]);
  expect(await redis.zrange(queue.redisKeys.fairFlows('triage'), '0', '-1')).toEqual(['last', 'front', 'now', 'large']);
  expect(await redis.exists(queue.redisKeys.fairAdding('triage'))).toBe(0);
});

test('many producers at once hand out every stretch of time once', async () => {
  const all = await Promise.all(
    Array.from({ length: 20 }, (_, producer) => queue.add(share('a', 7), numbers(30, producer * 30))),
  );
  const ends = all.flat().sort((a, b) => a - b);
  expect(ends).toEqual(numbers(600).map((number) => (number + 1) * 7));
});

test('time that passes what whole numbers can hold still gives turns', async () => {
  await queue.add(share('endless', 2 ** 52), numbers(5));
  const ends = await queue.add(share('endless', 2 ** 52), numbers(5, 5));
  for (const end of ends) expect(priorityAt(end)).toBe(2_097_151);
  const [first] = await queue.add(share('small', 10), [0]);
  expect(first).toBeLessThan(2 ** 53);
  expect(await queue.serveAll()).toHaveLength(11);
});
