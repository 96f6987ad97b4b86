import fc from 'fast-check';
import { afterAll, beforeAll, test } from 'vitest';
import { ALL_TESTS } from '../../helpers/all-tests.ts';
import { type RedisServer, startRedisServer } from '../../helpers/redis-server.ts';
import { Run, SLICES, WORKERS, WORKFLOWS } from './ledger-run.ts';

/** Each of random steps of its own, and a thousand of them meet every kind. */
const RUNS = ALL_TESTS ? 20 : 6;
const STEPS = 1_000;
const worker = fc.nat(WORKERS - 1);
const where = { batch: fc.nat(WORKFLOWS.length - 1), slice: fc.nat(SLICES - 1) };
/** Mostly the present owner's token. */
const stale = fc.nat(24).map((n) => n === 0);
/** Mostly once; two of a turn are the same call twice. */
const times = fc.nat(9).map((n) => (n === 0 ? 2 : 1));
const admit = fc.record({
  do: fc.constant('admit'),
  ...where,
  worker,
  stale,
  key: fc.nat(15),
  hold: fc.nat(100),
  times,
});
const admitAgain = fc.record({ do: fc.constant('admit again'), pick: fc.nat() });
const settle = fc.record({
  do: fc.constant('settle'),
  pick: fc.nat(),
  outcome: fc.constantFrom('reply', 'reply', 'reply', 'released', 'uncertain'),
  /** Share of the hold, in per cent; a few calls cost more than was held. */
  cost: fc.oneof({ weight: 40, arbitrary: fc.nat(100) }, { weight: 1, arbitrary: fc.constant(150) }),
  times,
});
const settleAgain = fc.record({ do: fc.constant('settle again'), pick: fc.nat() });
/** What comes together: of any worker, batch and slice, more than one script takes, and with scripts whose answer is lost. */
const turn = fc.record({
  do: fc.constant('turn'),
  parts: fc.array(
    fc.oneof(
      { weight: 8, arbitrary: admit },
      { weight: 8, arbitrary: settle },
      { weight: 1, arbitrary: admitAgain },
      { weight: 1, arbitrary: settleAgain },
    ),
    { minLength: 2, maxLength: 60, size: 'max' },
  ),
  lost: fc.nat(8).map((n) => Math.max(0, n - 6)),
});
const step = fc.oneof(
  { weight: 12, arbitrary: admit },
  { weight: 2, arbitrary: admitAgain },
  { weight: 10, arbitrary: settle },
  { weight: 2, arbitrary: settleAgain },
  { weight: 4, arbitrary: turn },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('claim'), ...where }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('end lease'), worker }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reap'), worker }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('set limit'), scope: fc.nat(5), limit: fc.nat(12_000) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('config limit'),
      scope: fc.nat(5),
      limit: fc.option(fc.nat(15_000), { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('commit'), ...where, stale, short: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('commit again'), ...where }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('seal'), batch: where.batch }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

let server: RedisServer;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server?.stop());

type Call = typeof turn extends fc.Arbitrary<infer T extends { parts: unknown[] }> ? T['parts'][number] : never;

/** @param times how often a call may be sent in one turn */
async function ask(run: Run, made: Call, times = 2): Promise<void> {
  switch (made.do) {
    case 'admit':
      return await run.admit(made.worker, made, made.stale, made.key, made.hold, Math.min(times, made.times));
    case 'admit again':
      return await run.admitAgain(made.pick);
    case 'settle':
      return await run.settle(made.pick, made.outcome, made.cost, Math.min(times, made.times));
    case 'settle again':
      return await run.settleAgain(made.pick);
  }
}

async function perform(run: Run, made: Step): Promise<unknown> {
  switch (made.do) {
    case 'admit':
    case 'admit again':
    case 'settle':
    case 'settle again':
      return await run.turn([() => ask(run, made)], 0);
    case 'turn':
      return await run.turn(
        // A script that is sent again would mix the answers of a call that it has twice.
        made.parts.map((part) => () => ask(run, part, made.lost > 0 ? 1 : 2)),
        made.lost,
      );
    case 'claim':
      return await run.claim(made);
    case 'end lease':
      return await run.endLease(made.worker);
    case 'reap':
      return await run.reap(made.worker);
    case 'set limit':
      return await run.setLimit(made.scope, made.limit);
    case 'config limit':
      return await run.configLimit(made.scope, made.limit);
    case 'commit':
      return await run.commit(made, made.stale, made.short);
    case 'commit again':
      return await run.commitAgain(made);
    case 'seal':
      return await run.seal(made.batch);
  }
}

test('the ledger equals a plain model of it after every step of random interleavings', {
  timeout: 120_000,
}, async () => {
  const redis = await server.connect();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: STEPS, size: 'max' }), async (steps) => {
      const run = new Run(redis);
      await run.start();
      try {
        for (const made of steps) {
          await perform(run, made);
          await run.check();
        }
        await run.checkAll();
      } finally {
        await run.stop();
      }
    }),
    { numRuns: RUNS, interruptAfterTimeLimit: 100_000, markInterruptAsFailure: true },
  );
});
