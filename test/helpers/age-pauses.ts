import { Redis } from 'ioredis';
import type { Pause } from '../../src/ledger/pause.ts';

/** Makes the pauses of a workflow older by so much, as if the time had passed. */
export async function agePauses(redisUrl: string, workflow: string, milliseconds: number): Promise<void> {
  const redis = new Redis(redisUrl);
  try {
    for (const key of await redis.keys(`*:pauses:${workflow}`)) {
      for (const [name, json] of Object.entries(await redis.hgetall(key))) {
        const pause = JSON.parse(json) as Pause;
        await redis.hset(key, name, JSON.stringify({ ...pause, since: pause.since - milliseconds }));
      }
    }
  } finally {
    redis.disconnect();
  }
}
