import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Admission, CallTicket, Outcome, QuotaReport } from '../../../../src/ledger/ledger.ts';
import { NO_USAGE } from '../../../../src/money/usage.ts';
import { DAY, entryOf, ticketOf } from '../../../contract/cluster.ts';
import { type RedisServer, startRedisServer } from '../../../helpers/redis-server.ts';
import { Cluster } from '../fixture.ts';
import { withVirtualTime } from '../virtual-redis.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server?.stop());

const POOL = 'acme';
const START = 1_800_000_000_000;
const MODELS = ['small', 'large'] as const;
const LIMITS = [
  {},
  { requestsPerMinute: 3_000, tokensPerMinute: 400_000 },
  { inputTokensPerMinute: 90_000, outputTokensPerMinute: 30_000, concurrency: 24 },
  { requestsPerMinute: 6_000, requestsPerDay: 150, tokensPerDay: 60_000 },
] as const;

const call = fc.record({
  model: fc.nat(MODELS.length - 1),
  input: fc.nat(900),
  output: fc.integer({ min: 1, max: 200 }),
});
const end = fc.record({
  pick: fc.nat(),
  kind: fc.constantFrom('reply', 'reply', 'reply', 'released', 'refused', 'uncertain'),
  used: fc.integer({ min: 1, max: 300 }),
  beyondCap: fc.nat(12).map((n) => Math.max(0, n - 10) * 1_000),
});
const report: fc.Arbitrary<QuotaReport> = fc.oneof(
  fc.record({ refused: fc.constant(true), waitMs: fc.constantFrom(0, 0, 700, 3_000) }),
  fc.record({ limits: fc.record({ tokensPerMinute: fc.integer({ min: 50_000, max: 500_000 }) }) }),
  fc.record({ guesses: fc.record({ requestsPerMinute: fc.integer({ min: 500, max: 5_000 }) }) }),
);
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('admit'),
      calls: fc.array(call, { minLength: 1, maxLength: 32, size: 'max' }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('settle'),
      ends: fc.array(end, { minLength: 1, maxLength: 32, size: 'max' }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pass'), milliseconds: fc.nat(1_500) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('report'), report }) },
);

/** One cluster in virtual time: `together` asks in one turn what the other asks one after the other. */
class Side {
  readonly #together: boolean;
  readonly #cluster: Cluster;
  #worker!: Awaited<ReturnType<Cluster['workerWithSlice']>>;
  /** Admitted and not settled, the same on both sides. */
  readonly open: CallTicket[] = [];

  constructor(together: boolean, cluster: Cluster) {
    this.#together = together;
    this.#cluster = cluster;
  }

  async start(): Promise<void> {
    this.#worker = await this.#cluster.workerWithSlice();
    await this.#worker.ledger.setLimit(DAY.name, 20_000);
  }

  async #all<T>(asked: readonly (() => Promise<T>)[]): Promise<readonly T[]> {
    if (this.#together) return await Promise.all(asked.map((ask) => ask()));
    const answers: T[] = [];
    for (const ask of asked) answers.push(await ask());
    return answers;
  }

  async admit(calls: readonly { model: number; input: number; output: number }[], limits: (typeof LIMITS)[number]) {
    const tickets = calls.map(({ model, input, output }) =>
      ticketOf(this.#worker.claim, 100, {
        model: MODELS[model] ?? 'small',
        quota: { pool: POOL, limits, inputTokens: input, outputTokens: output },
      }),
    );
    const answers = await this.#all(tickets.map((ticket) => () => this.#worker.ledger.admit(ticket)));
    for (const [index, { kind }] of answers.entries())
      if (kind === 'admitted') this.open.push(tickets[index] as CallTicket);
    return answers.map(rounded);
  }

  async settle(ends: readonly { pick: number; kind: string; used: number; beyondCap: number }[]) {
    const ended = ends.flatMap(({ pick, ...how }) => {
      const [ticket] = this.open.splice(pick % Math.max(1, this.open.length), 1);
      return ticket === undefined ? [] : [{ ticket, outcome: outcomeOf(how) }];
    });
    return await this.#all(
      ended.map(
        ({ ticket, outcome }) =>
          () =>
            this.#worker.ledger.settle(ticket, outcome),
      ),
    );
  }

  async report(given: QuotaReport) {
    await this.#worker.ledger.reportQuota(POOL, given);
  }

  async state() {
    const pool = await this.#cluster.redis.hgetall(this.#cluster.keys.pool(POOL));
    return { pool, totals: await this.#cluster.totals(this.#worker.ledger, this.#worker.claim) };
  }

  async stop(): Promise<void> {
    await this.#cluster.stop();
  }
}

function outcomeOf({ kind, used, beyondCap }: { kind: string; used: number; beyondCap: number }): Outcome {
  if (kind === 'uncertain') return { kind, reason: 'timeout' };
  if (kind !== 'reply') return { kind: 'released', refused: kind === 'refused' };
  const usage = { ...NO_USAGE, inputTokens: used * 2, outputTokens: used };
  return { kind: 'reply', entry: { ...entryOf(40), usage }, beyondCap };
}

/** A turn rounds once where single calls round each time. */
function rounded(answer: Admission): unknown {
  if (answer.kind !== 'admitted')
    return answer.kind === 'wait' ? { ...answer, waitMs: Math.round(answer.waitMs / 5) } : answer;
  return { kind: 'admitted', startInMs: Math.round((answer.startInMs ?? 0) / 5) };
}

function expectClose(together: Readonly<Record<string, string>>, alone: Readonly<Record<string, string>>): void {
  expect(Object.keys(together).sort()).toEqual(Object.keys(alone).sort());
  for (const [field, value] of Object.entries(together)) {
    const other = Number(alone[field]);
    expect(Math.abs(Number(value) - other), `${field}: ${value}, ${other}`).toBeLessThan(0.2 + Math.abs(other) * 1e-13);
  }
}

test('a turn takes and gives back of a quota what its calls would one after the other', {
  timeout: 120_000,
}, async () => {
  const redis = await server.connect();
  await fc.assert(
    fc.asyncProperty(
      fc.nat(LIMITS.length - 1),
      fc.array(step, { maxLength: 60, size: 'max' }),
      async (index, steps) => {
        const time = { now: START };
        const limits = LIMITS[index] ?? {};
        const sides = [true, false].map((together) => new Side(together, new Cluster(withVirtualTime(redis, time))));
        const [together, alone] = sides as [Side, Side];
        try {
          for (const side of sides) await side.start();
          for (const made of steps) {
            if (made.do === 'pass') time.now += made.milliseconds;
            else if (made.do === 'report') for (const side of sides) await side.report(made.report);
            else if (made.do === 'admit') {
              expect(await together.admit(made.calls, limits)).toEqual(await alone.admit(made.calls, limits));
            } else expect(await together.settle(made.ends)).toEqual(await alone.settle(made.ends));
            const [a, b] = [await together.state(), await alone.state()];
            expect(a.totals.slice(1)).toEqual(b.totals.slice(1));
            expectClose(a.pool, b.pool);
          }
        } finally {
          for (const side of sides) await side.stop();
        }
      },
    ),
    { numRuns: 30, interruptAfterTimeLimit: 100_000 },
  );
});
