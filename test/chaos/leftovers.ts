import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { CLASSIFY_MARKER, SUMMARIZE_MARKER } from './documents.ts';

/** Kinds of keys that must be gone when every batch has ended. */
const PASSING = ['fence', 'journal', 'progress', 'holds', 'submission', 'breaker'];
const QUEUE_LISTS = ['wait', 'active', 'paused', 'prioritized', 'delayed'];

/** What an ended run has left in Redis and must not: keys, jobs, holds, open counters, document text. */
export async function findLeftovers(redis: Redis, prefix: string): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const key of await redis.keys('*')) {
    const [kind = ''] = key.slice(prefix.length).split(':');
    if (!key.startsWith(prefix)) problems.push(`the key ${key} has another prefix`);
    // Of calls beside batches whose worker has died, what has no text (of a probe, all) is forgotten after a week.
    const mayStay = key.includes(':~') && !key.includes('journal:~digest-');
    // The lock of a submission whose process was killed ends by itself.
    const passes = kind === 'submission' && (await redis.pttl(key)) > 0;
    if (PASSING.includes(kind) && !mayStay && !passes)
      problems.push(`the key ${key} was left behind: ${(await dump(redis, key)).slice(0, 300)}`);
    if (kind === 'bull' && QUEUE_LISTS.includes(key.split(':').at(-1) ?? ''))
      problems.push(`the queue list ${key} is not empty`);
    if (kind === 'scope') {
      const [held, open] = await redis.hmget(key, 'held', 'open');
      if (Number(held ?? 0) !== 0 || Number(open ?? 0) !== 0)
        problems.push(`${key} still holds ${held} in ${open} calls`);
    }
    const text = await dump(redis, key);
    for (const marker of [CLASSIFY_MARKER, SUMMARIZE_MARKER]) {
      if (text.includes(marker)) problems.push(`document text is in ${key}`);
    }
  }
  return problems;
}

/** Workers that left their work to others because the provider refused their key, which was good all the time. */
export function findLeftOut(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => /^worker-\d+\.log$/.test(name))
    .filter((name) => readFileSync(join(folder, name), 'utf8').includes('"key:refused"'))
    .map((name) => `a worker was left out for its key (${name})`);
}

async function dump(redis: Redis, key: string): Promise<string> {
  switch (await redis.type(key)) {
    case 'string':
      return (await redis.get(key)) ?? '';
    case 'hash':
      return JSON.stringify(await redis.hgetall(key));
    case 'list':
      return JSON.stringify(await redis.lrange(key, 0, -1));
    case 'set':
      return JSON.stringify(await redis.smembers(key));
    case 'zset':
      return JSON.stringify(await redis.zrange(key, '0', '-1'));
    case 'stream':
      return JSON.stringify(await redis.xrange(key, '-', '+'));
    default:
      return '';
  }
}
