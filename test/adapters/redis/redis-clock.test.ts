import { expect, test } from 'vitest';
import { RedisClock } from '../../../src/adapters/redis/redis-clock.ts';
import { scopesOf } from '../../../src/ledger/scope.ts';
import { replyOf, ticketOf } from '../../contract/cluster.ts';
import { MemoryCluster } from '../../helpers/memory/memory-cluster.ts';

const EVENING = Date.parse('2026-03-01T21:00:00Z');

/** One true time, and machines whose clocks are off by something. */
class World {
  trueTime = EVENING;
  /** How long Redis's answer takes on its way back. */
  answerMs = 0;
  fails = false;

  machine(aheadMs: number) {
    const machine = {
      aheadMs,
      now: () => this.trueTime + machine.aheadMs,
      monotonic: () => this.trueTime - EVENING + 4_000,
      sleep: async () => {},
    };
    return machine;
  }

  async readTime(): Promise<number> {
    if (this.fails) throw new Error('Redis is away');
    const read = this.trueTime;
    this.trueTime += this.answerMs;
    return read;
  }

  clockOf(machine: ReturnType<World['machine']>): RedisClock {
    return new RedisClock(() => this.readTime(), machine);
  }
}

const HOUR_MS = 3_600_000;

test.each([26 * HOUR_MS, -26 * HOUR_MS, 30_000, 0])(
  'a machine that is %i ms ahead tells Redis’s time and knows its difference',
  async (aheadMs) => {
    const world = new World();
    const clock = world.clockOf(world.machine(aheadMs));
    await clock.measure();
    expect(Math.abs(clock.now() - world.trueTime)).toBeLessThanOrEqual(1);
    expect(Math.abs(clock.aheadMs - aheadMs)).toBeLessThanOrEqual(1);
    world.trueTime += 5 * HOUR_MS;
    expect(Math.abs(clock.now() - world.trueTime)).toBeLessThanOrEqual(1);
  },
);

test('setting the machine’s clock between two measurements changes nothing, and the next one tells', async () => {
  const world = new World();
  const machine = world.machine(0);
  const clock = world.clockOf(machine);
  await clock.measure();
  machine.aheadMs = 26 * HOUR_MS;
  expect(Math.abs(clock.now() - world.trueTime)).toBeLessThanOrEqual(1);
  await clock.measure();
  expect(Math.abs(clock.now() - world.trueTime)).toBeLessThanOrEqual(1);
  expect(clock.aheadMs).toBeGreaterThan(25 * HOUR_MS);
  machine.aheadMs = 0;
  await clock.measure();
  expect(Math.abs(clock.aheadMs)).toBeLessThanOrEqual(1);
});

test('a late answer proves nothing against a clock that may be right', async () => {
  const world = new World();
  const clock = world.clockOf(world.machine(0));
  world.answerMs = 90_000;
  await clock.measure();
  expect(Math.abs(clock.aheadMs)).toBeLessThanOrEqual(1);
  expect(Math.abs(clock.now() - world.trueTime)).toBeLessThanOrEqual(1);
});

test('a late answer still corrects what it disproves', async () => {
  const world = new World();
  const clock = world.clockOf(world.machine(26 * HOUR_MS));
  world.answerMs = 2_000;
  await clock.measure();
  expect(Math.abs(clock.now() - world.trueTime)).toBeLessThanOrEqual(2_001);
});

test('a machine that slept catches up with the next measurement', async () => {
  const world = new World();
  const machine = world.machine(0);
  let asleepMs = 0;
  const monotonic = machine.monotonic;
  machine.monotonic = () => monotonic() - asleepMs;
  const clock = world.clockOf(machine);
  await clock.measure();
  world.trueTime += HOUR_MS;
  asleepMs = HOUR_MS;
  await clock.measure();
  expect(Math.abs(clock.now() - world.trueTime)).toBeLessThanOrEqual(1);
  expect(Math.abs(clock.aheadMs)).toBeLessThanOrEqual(1);
});

test('while Redis is away the clock continues as it was', async () => {
  const world = new World();
  const clock = world.clockOf(world.machine(30_000));
  await clock.measure();
  world.fails = true;
  world.trueTime += HOUR_MS;
  await expect(clock.measure()).rejects.toThrow('Redis is away');
  expect(Math.abs(clock.now() - world.trueTime)).toBeLessThanOrEqual(1);
  world.fails = false;
  await clock.measure();
  expect(Math.abs(clock.aheadMs - 30_000)).toBeLessThanOrEqual(1);
});

test('at midnight, with workers 30 s apart, what is billed on a day stays within its limit', async () => {
  const world = new World();
  const cluster = new MemoryCluster();
  const limit = 100;
  const clocks = [
    world.clockOf(world.machine(0)),
    world.clockOf(world.machine(30_000)),
    world.clockOf(world.machine(-30_000)),
  ];
  const workers = await Promise.all(
    clocks.map(async (clock) => {
      await clock.measure();
      return { clock, ...(await cluster.workerWithSlice()) };
    }),
  );
  await workers[0]?.ledger.setLimit('workflow:triage/day', limit);
  const billed = new Map<string, number>();
  const midnight = Date.parse('2026-03-02T00:00:00Z');
  for (world.trueTime = midnight - 60_000; world.trueTime < midnight + 60_000; world.trueTime += 1_000) {
    for (const { clock, ledger, claim } of workers) {
      const scopes = scopesOf(claim, clock.now(), { workflow: 'UTC', global: 'UTC' });
      const ticket = ticketOf(claim, 10, { scopes });
      if ((await ledger.admit(ticket)).kind !== 'admitted') continue;
      await ledger.settle(ticket, replyOf(10));
      const day = new Date(world.trueTime).toISOString().slice(0, 10);
      billed.set(day, (billed.get(day) ?? 0) + 10);
    }
  }
  expect([...billed]).toEqual([
    ['2026-03-01', limit],
    ['2026-03-02', limit],
  ]);
});
