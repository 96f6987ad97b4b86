import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeQuota } from '../../../src/ledger/describe-quota.ts';
import { NO_USAGE } from '../../../src/money/usage.ts';
import { entryOf, ticketOf } from '../../contract/cluster.ts';
import { ALL_TESTS, pairsOf } from '../../helpers/all-tests.ts';
import { type RedisServer, startRedisServer } from '../../helpers/redis-server.ts';
import { Cluster } from './fixture.ts';

let server: RedisServer;

beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server?.stop());

const POOL = 'acme';
/** What is held for a call, what it costs where the cap is kept, and what a token of thinking costs: nano-dollars. */
const HOLD = 75_000;
const COST = 60_000;
const TOKEN = 600;
const MARGIN = 1.25;

interface Run {
  readonly workers: number;
  readonly atOnce: number;
  readonly limit: number;
  readonly thinking: number;
  readonly thinksAfter: number;
}

/**
 * Calls until the limit stands, each paid when it is settled. Returns what the provider bills, and how many calls that thought
 * asked for admission before the first such reply was settled.
 */
async function spend(run: Run) {
  const cluster = new Cluster(await server.connect());
  const holders: Awaited<ReturnType<Cluster['workerWithSlice']>>[] = [];
  for (let n = 0; n < run.workers; n += 1) holders.push(await cluster.workerWithSlice());
  const [first] = holders;
  await first?.ledger.setLimit('global/day', run.limit);
  let billed = 0;
  let calls = 0;
  let isKnown = false;
  let unwarned = 0;
  const caller = async ({ ledger, claim }: (typeof holders)[number]) => {
    for (;;) {
      const quota = { pool: POOL, limits: {}, inputTokens: 100, outputTokens: 10 };
      const ticket = ticketOf(claim, HOLD, { quota });
      const isUnwarned = !isKnown;
      const admission = await ledger.admit(ticket);
      if (admission.kind === 'refused' && admission.refusal.held === 0) return;
      if (admission.kind === 'refused' || admission.kind === 'wait') {
        await delay(5);
        continue;
      }
      await delay(admission.kind === 'admitted' ? (admission.startInMs ?? 0) + 3 : 0);
      calls += 1;
      const beyond = calls > run.thinksAfter ? run.thinking * TOKEN : 0;
      if (beyond > 0 && isUnwarned) unwarned += 1;
      billed += COST + beyond;
      const entry = { ...entryOf(COST + beyond), usage: { ...NO_USAGE, inputTokens: 100, outputTokens: 10 } };
      await ledger.settle(ticket, { kind: 'reply', entry, beyondCap: Math.ceil(beyond * MARGIN) });
      isKnown ||= beyond > 0;
    }
  };
  await Promise.all(
    Array.from({ length: run.atOnce }, (_, n) => caller(holders[n % run.workers] as (typeof holders)[number])),
  );
  const found = await first?.ledger.foundQuota(POOL);
  await cluster.stop();
  return { billed, unwarned, found };
}

describe('a provider that thinks beyond the output cap', () => {
  const CALLERS = [
    { workers: 1, atOnce: 200 },
    { workers: 3, atOnce: 64 },
    { workers: 1, atOnce: 64 },
    { workers: 3, atOnce: 200 },
  ];
  const THINKING = [
    { thinking: 600, limit: 20_000_000 },
    { thinking: 3_000, limit: 80_000_000 },
  ];
  const CASES = pairsOf(ALL_TESTS ? CALLERS : CALLERS.slice(0, 2), THINKING).map(([callers, thinking]) => ({
    ...callers,
    ...thinking,
  }));

  test.each(CASES)(
    '$thinking tokens from the start, $workers workers, $atOnce calls at once: the limit holds',
    async (run) => {
      const { billed, found } = await spend({ ...run, thinksAfter: 0 });
      expect(billed).toBeLessThanOrEqual(run.limit);
      expect(billed).toBeGreaterThan(0.8 * run.limit);
      expect(describeQuota(found as NonNullable<typeof found>, 0)).toContain(
        'the model small bills beyond its output cap',
      );
    },
    60_000,
  );

  test.each(CASES)(
    '$thinking tokens from the middle, $workers workers, $atOnce calls at once: no more is over than the excess in flight',
    async (run) => {
      const { billed, unwarned } = await spend({ ...run, thinksAfter: 100 });
      expect(billed).toBeLessThanOrEqual(run.limit + unwarned * run.thinking * TOKEN);
    },
    60_000,
  );
});
