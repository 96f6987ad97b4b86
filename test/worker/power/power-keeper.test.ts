import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { MemoryStore } from '../../../src/adapters/memory-store/memory-store.ts';
import { RedisCallOwners } from '../../../src/adapters/redis/call-owners.ts';
import { RedisClusterMemory } from '../../../src/adapters/redis/cluster-memory.ts';
import type { Notice } from '../../../src/budgets/notice.ts';
import type { PowerCommand, PowerSettings } from '../../../src/providers/power.ts';
import { addPowerTime, readPowerBook } from '../../../src/providers/power-book.ts';
import { type PowerContext, PowerKeeper, powerNote, readPower } from '../../../src/worker/power/power-keeper.ts';
import { Cluster, type TestWorker } from '../../adapters/redis/fixture.ts';
import { FakeClock } from '../../helpers/memory/fake-clock.ts';
import { type RedisServer, startRedisServer } from '../../helpers/redis-server.ts';

const MINUTE = 60_000;
const UTC = { workflow: 'UTC', global: 'UTC' };
/** One nano-dollar short of two minutes' worth splits unevenly. */
const PER_HOUR = 3_600_000_060;
const MINUTE_COST = PER_HOUR / 60;
const SETTINGS: PowerSettings = {
  start: ['up'],
  ready: { url: 'http://gpu/health' },
  stop: ['down'],
  afterIdleMs: 10 * MINUTE,
  perHour: PER_HOUR,
};

let server: RedisServer;
let cluster: Cluster;
let worker: TestWorker;
let clock: FakeClock;
let store: MemoryStore;
let world: {
  ready: boolean;
  /** Each with the batch `<workflow>-1`. */
  needed: readonly string[];
  fails: (command: PowerCommand) => string | undefined;
  readonly ran: PowerCommand[];
  readonly notices: Notice[];
  readonly breakers: { readonly workflow: string; readonly scope: string }[];
};

beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  cluster = new Cluster(await server.connect());
  worker = await cluster.worker();
  store = new MemoryStore();
  clock = new FakeClock(Date.parse('2026-03-01T12:00:00Z'));
  world = { ready: false, needed: [], fails: () => undefined, ran: [], notices: [], breakers: [] };
});
afterEach(() => cluster.stop());

function contextOf(powered: ReadonlyMap<string, PowerSettings>): PowerContext {
  const { redis, keys } = cluster;
  return {
    powered,
    machine: {
      run: async (command) => {
        world.ran.push(command);
        const why = world.fails(command);
        return why === undefined ? {} : { why };
      },
      isReady: async () => world.ready,
    },
    clock,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    ledger: worker.ledger,
    owners: new RedisCallOwners(redis, keys),
    memory: new RedisClusterMemory(redis, keys),
    newId: randomUUID,
    notify: async (notice) => void world.notices.push(notice),
    store,
    neededBy: async () => world.needed.map((workflow) => ({ workflow, batches: [`${workflow}-1`] })),
    timezonesOf: () => UTC,
    openBreaker: async ({ workflow }, { refusal }) => void world.breakers.push({ workflow, scope: refusal.scope }),
  };
}

const keeperOf = (settings: PowerSettings = SETTINGS) => new PowerKeeper(contextOf(new Map([['gpu', settings]])));

async function round(keeper: PowerKeeper): Promise<void> {
  await keeper.round();
  await keeper.settled();
}

async function state() {
  const memory = new RedisClusterMemory(cluster.redis, cluster.keys);
  return readPower(await memory.noted(powerNote('gpu')));
}

async function bookedShares() {
  return await readPowerBook(store, { since: clock.now(), until: clock.now() });
}

async function spent(scope: string, period = '2026-03-01') {
  return (await worker.ledger.totals({ name: scope, period })).settled;
}

describe('a server that is switched on for the night', () => {
  test('starts when a batch needs it, is ready when it answers, and stops when nothing has needed it for a while', async () => {
    const keeper = keeperOf();
    await round(keeper);
    expect(world.ran).toEqual([]);
    world.needed = ['triage'];
    await round(keeper);
    expect([world.ran, (await state()).state]).toEqual([[['up']], 'starting']);
    await round(keeper);
    expect((await state()).state).toBe('starting');
    world.ready = true;
    await round(keeper);
    expect((await state()).state).toBe('on');
    world.needed = [];
    await round(keeper);
    clock.advance(10 * MINUTE - 1);
    await round(keeper);
    expect(world.ran).toHaveLength(1);
    clock.advance(1);
    await round(keeper);
    expect(world.ran).toEqual([['up'], ['down']]);
    expect(await state()).toMatchObject({ state: 'off', why: 'no open batch needs it' });
  });

  test('is started once for the cluster, and a second one that keeps house continues with it', async () => {
    world.needed = ['triage'];
    const [first, second] = [keeperOf(), keeperOf()];
    await Promise.all([first.round(), second.round()]);
    await Promise.all([first.settled(), second.settled()]);
    expect(world.ran).toEqual([['up']]);
    world.ready = true;
    await round(second);
    expect((await state()).state).toBe('on');
    expect(await spent('global/day')).toBe(MINUTE_COST);
  });

  test('its time is booked minute by minute, without a gap, in the workflows that need it and in all together', async () => {
    const keeper = keeperOf();
    world.needed = ['night', 'triage'];
    await round(keeper);
    expect(await spent('global/day')).toBe(MINUTE_COST);
    clock.advance(MINUTE - 1);
    await round(keeper);
    expect(await spent('global/day')).toBe(MINUTE_COST);
    clock.advance(1 + 2.5 * MINUTE);
    await round(keeper);
    await round(keeper);
    expect(await spent('global/day')).toBe(4 * MINUTE_COST);
    const parts = [await spent('workflow:night/day'), await spent('workflow:triage/day')];
    expect((parts[0] ?? 0) + (parts[1] ?? 0)).toBe(4 * MINUTE_COST);
    expect(await spent('workflow:triage/month', '2026-03')).toBe(parts[1]);
  });

  test("its time is kept by workflow and batch, and adds up to what was booked; after them it is nobody's", async () => {
    const keeper = keeperOf();
    world.needed = ['night', 'triage'];
    await round(keeper);
    clock.advance(MINUTE);
    world.needed = ['night'];
    await round(keeper);
    world.needed = [];
    clock.advance(MINUTE);
    await round(keeper);
    const shares = await bookedShares();
    expect(shares).toEqual([
      { provider: 'gpu', workflow: 'night', batch: 'night-1', ms: 1.5 * MINUTE, cost: 90_000_002 },
      { provider: 'gpu', workflow: 'triage', batch: 'triage-1', ms: MINUTE / 2, cost: 30_000_000 },
      { provider: 'gpu', workflow: 'night', ms: MINUTE, cost: MINUTE_COST },
    ]);
    expect(addPowerTime(shares).cost).toBe(await spent('global/day'));
  });

  test('without a price for an hour its time is kept, and what it costs is not known', async () => {
    const { perHour: _, ...free } = SETTINGS;
    world.needed = ['triage'];
    const keeper = keeperOf(free);
    await round(keeper);
    clock.advance(MINUTE);
    await round(keeper);
    expect(await bookedShares()).toEqual([{ provider: 'gpu', workflow: 'triage', batch: 'triage-1', ms: 2 * MINUTE }]);
    expect(await spent('global/day')).toBe(0);
  });

  test('stops when a limit cannot pay its next minute, and says so by the breaker', async () => {
    const keeper = keeperOf();
    world.needed = ['triage'];
    await worker.ledger.setLimit('workflow:triage/day', MINUTE_COST + 1);
    await round(keeper);
    clock.advance(MINUTE);
    await round(keeper);
    expect(world.ran).toEqual([['up'], ['down']]);
    expect(world.breakers).toEqual([{ workflow: 'triage', scope: 'workflow:triage/day' }]);
    const { why } = await state();
    expect(why).toMatch(/the limit \$0\.060.* of workflow:triage\/day cannot pay its next minute/);
    expect(await spent('global/day')).toBe(MINUTE_COST);
    await round(keeper);
    expect(world.ran).toHaveLength(2);
  });

  test('is not started where the limit cannot pay a minute', async () => {
    await worker.ledger.setLimit('global/day', 1);
    world.needed = ['triage'];
    await round(keeperOf());
    expect(world.ran).toEqual([]);
    expect(await state()).toMatchObject({ state: 'off', why: expect.stringContaining('global/day') });
  });

  test('a start that fails is named, stopped again, and tried again after five minutes', async () => {
    world.needed = ['triage'];
    world.fails = (command) => (command[0] === 'up' ? 'exit 3: no such machine' : undefined);
    const keeper = keeperOf();
    await round(keeper);
    expect(world.ran).toEqual([['up'], ['down']]);
    expect(await state()).toMatchObject({ state: 'failed', why: 'its start command failed: exit 3: no such machine' });
    expect(world.notices).toMatchObject([{ event: 'power:failed', subject: 'gpu' }]);
    clock.advance(5 * MINUTE - 1);
    await round(keeper);
    expect(world.ran).toHaveLength(2);
    clock.advance(1);
    world.fails = () => undefined;
    await round(keeper);
    expect((await state()).state).toBe('starting');
  });

  test('one that never answers is given up, and one that fails holds up no other', async () => {
    const { perHour: _, ...free } = SETTINGS;
    world.needed = ['triage'];
    world.fails = (command) => (command[0] === 'broken' ? 'ENOENT' : undefined);
    const keeper = new PowerKeeper(
      contextOf(
        new Map([
          ['other', { ...free, start: ['broken'] }],
          ['gpu', free],
        ]),
      ),
    );
    await round(keeper);
    expect((await state()).state).toBe('starting');
    clock.advance(15 * MINUTE + 1);
    await round(keeper);
    await round(keeper);
    expect(await state()).toMatchObject({ state: 'failed', why: 'it was not ready within 15 minutes' });
  });

  test('the last worker that ends stops it', async () => {
    world.needed = ['triage'];
    const keeper = keeperOf();
    await round(keeper);
    await keeper.stopAll('the last worker has ended');
    expect(world.ran).toEqual([['up'], ['down']]);
    expect(await state()).toMatchObject({ state: 'off', why: 'the last worker has ended' });
  });
});
