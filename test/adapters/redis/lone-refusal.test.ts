import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RedisServer, startRedisServer } from '../../helpers/redis-server.ts';
import { type Outcome, playScene, type Scene } from './paced-cluster.ts';

let server: RedisServer;

beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server?.stop());

/** A provider without a limit that refuses only what `refusal` says, and a small batch. */
async function play(
  scene: Pick<Scene, 'calls' | 'workers' | 'refusal' | 'limits' | 'manners' | 'concurrency'>,
): Promise<Outcome> {
  return await playScene(await server.connect(), { concurrency: 32, ...scene, seconds: 600, countFrom: 0 });
}

const untold = { limits: {}, manners: { headers: 'none', waits: 'exact' } } as const;

describe('a provider without a limit has refused', () => {
  /** Refused from the third call on, until the wait that is named has ended. */
  const restsFor = (restMs: number) => (call: number, elapsedMs: number) =>
    call >= 3 && elapsedMs < restMs ? restMs - elapsedMs : undefined;

  test.each([
    { what: 'the first call, no wait named', refusal: (call: number) => (call === 1 ? 0 : undefined), restMs: 0 },
    { what: 'the third call, for 10 s', refusal: (call: number) => (call === 3 ? 10_000 : undefined), restMs: 10_000 },
    { what: 'what came from the third call on, for 10 s', refusal: restsFor(10_000), restMs: 10_000 },
    { what: 'what came from the third call on, for 90 s', refusal: restsFor(90_000), restMs: 90_000 },
  ])('$what: a small batch ends soon after it', async ({ refusal, restMs }) => {
    for (const calls of [12, 60]) {
      for (const workers of [1, 4]) {
        const { endedAfterMs, answered } = await play({ ...untold, calls, workers, refusal });
        expect(answered).toBe(calls);
        // A call itself waits up to a quarter longer than it was told.
        expect(endedAfterMs - restMs * 1.25).toBeLessThan(5_000);
      }
    }
  });

  test.each([2, 6, 32])(
    'everything for five seconds: it is asked a few times, and the batch ends soon after it; %i calls at once',
    async (concurrency) => {
      const refusal = (_: number, elapsedMs: number) => (elapsedMs < 5_000 ? 0 : undefined);
      const { answered, endedAfterMs, refused } = await play({
        ...untold,
        calls: 20,
        workers: 1,
        refusal,
        concurrency,
      });
      expect(answered).toBe(20);
      expect(endedAfterMs).toBeLessThan(20_000);
      expect((refused / (1 - refused)) * answered).toBeLessThan(40);
    },
  );
});

test.each([3, 16])(
  'everything for five seconds in the middle is soon made up for; %i calls at once',
  async (concurrency) => {
    const refusal = (_: number, elapsedMs: number) => (elapsedMs > 8_000 && elapsedMs < 13_000 ? 0 : undefined);
    const { answered, endedAfterMs } = await play({ ...untold, calls: 300, workers: 1, refusal, concurrency });
    const { endedAfterMs: without } = await play({ ...untold, calls: 300, workers: 1, concurrency });
    expect(answered).toBe(300);
    expect(endedAfterMs).toBeLessThan(without + 15_000);
  },
);

test('refusals that follow each other are believed, however few calls were let in', async () => {
  const limits = { requestsPerMinute: 20 };
  const manners = { headers: 'none', waits: 'seconds', window: 'minute' } as const;
  const { answered, refused } = await play({ limits, manners, workers: 1, calls: 140 });
  expect(answered).toBe(140);
  expect(refused).toBeLessThan(0.25);
});
