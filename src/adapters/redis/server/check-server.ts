import type { Redis } from 'ioredis';
import { NightmillError } from '../../../errors.ts';

const OLDEST_VERSION = [6, 2] as const;

/**
 * Makes sure that a server can be trusted with money: the kind that was named, new enough, and never evicting keys.
 *
 * @param where the server for messages, without password
 * @param kind `node`: one of a cluster
 * @throws {NightmillError} `redis_unsuitable`, with the fix
 */
export async function checkServer(redis: Redis, where: string, kind: 'server' | 'node'): Promise<void> {
  await checkDatabase(redis, where);
  const info = await redis.info();
  const refuse = (why: string) => {
    throw new NightmillError('redis_unsuitable', `Redis at ${where} ${why}`);
  };
  if (/^redis_mode:sentinel/m.test(info)) {
    refuse('is a Sentinel, which watches servers and has no data. Write redis: { sentinels: [its URL], name: … }.');
  }
  if (/^role:slave/m.test(info) && /^slave_read_only:1/m.test(info)) {
    refuse(
      'is a read-only replica. Name the primary in redis:, or the address that follows it through a failover, or the Sentinels.',
    );
  }
  if (kind === 'server' && /^cluster_enabled:1/m.test(info)) {
    refuse('is a node of a Redis Cluster, and redis: names it as one server. Write redis: { cluster: [its URL] }.');
  }
  const version = /^redis_version:(\S+)/m.exec(info)?.[1] ?? '0';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < OLDEST_VERSION[0] || (major === OLDEST_VERSION[0] && minor < OLDEST_VERSION[1])) {
    refuse(`is version ${version}; nightmill needs ${OLDEST_VERSION.join('.')} or newer. Upgrade the server.`);
  }
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? 'noeviction';
  const memoryLimit = Number(/^maxmemory:(\d+)/m.exec(info)?.[1] ?? 0);
  if (policy !== 'noeviction' && memoryLimit > 0) {
    refuse(
      `may drop keys when its memory is full (maxmemory-policy ${policy}), and with them what was spent. Set maxmemory-policy to noeviction.`,
    );
  }
}

/** ioredis stays on database 0 where the one in the URL does not exist. */
async function checkDatabase(redis: Redis, where: string): Promise<void> {
  const database = redis.options.db ?? 0;
  if (database === 0) return;
  try {
    await redis.select(database);
  } catch (error) {
    throw new NightmillError(
      'redis_unsuitable',
      `Redis at ${where} has no database ${database} (${(error as Error).message}). Use a lower number after the host, or raise the server's "databases".`,
      { cause: error },
    );
  }
}
