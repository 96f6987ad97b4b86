import type { Redis } from 'ioredis';

type Run = (...args: unknown[]) => Promise<unknown>;

/**
 * The client of a real server whose scripts see a time of the test's own: every `TIME` in a script reads `time.now`,
 * passed as its last argument.
 */
export function withVirtualTime(redis: Redis, time: { now: number }): Redis {
  const known = new Map<string, string>();
  const client = redis as unknown as Record<'evalshaBuffer' | 'evalBuffer', Run>;
  const own: Record<string, unknown> = {
    evalshaBuffer: async (sha1: string, keys: number, ...args: unknown[]) => {
      const virtual = known.get(sha1);
      if (virtual === undefined) throw new Error('NOSCRIPT the test has not seen it');
      return await client.evalshaBuffer(virtual, keys, ...args, String(time.now));
    },
    evalBuffer: async (source: string, keys: number, ...args: unknown[]) => {
      const virtual = `local virtualNow = tonumber(table.remove(ARGV))\n${source.replaceAll(
        "redis.call('TIME')",
        '{math.floor(virtualNow / 1000), virtualNow % 1000 * 1000}',
      )}`;
      const { script } = await import('../../../src/adapters/redis/scripts/run-script.ts');
      const sha1 = String(await redis.script('LOAD', virtual));
      known.set(script(source).sha1, sha1);
      return await client.evalshaBuffer(sha1, keys, ...args, String(time.now));
    },
  };
  return new Proxy(redis, {
    get: (target, name) => {
      const value = own[String(name)] ?? Reflect.get(target, name, target);
      return typeof value === 'function' && !(String(name) in own) ? value.bind(target) : value;
    },
  });
}
