import type { Redis } from 'ioredis';
import { readRedisUrl } from '../../../config/redis-url.ts';
import { NightmillError } from '../../errors.ts';
import { BatchingRedis } from './batching-redis.ts';

export interface RedisTarget {
  /** `redis://…`, `rediss://…`, or `unix:///path/to/socket`. */
  readonly url: string;
}

const CONNECT_TIMEOUT_MS = 5_000;
const OLDEST_VERSION = [6, 2] as const;
const RETRIES_PER_COMMAND = 40;

/**
 * Options for every connection of the program: commands survive a restart of the server of about a minute and are
 * sent again afterwards (every script is idempotent).
 */
export function redisOptions({ url }: RedisTarget) {
  return {
    ...addressOptions(url),
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    maxRetriesPerRequest: RETRIES_PER_COMMAND,
    retryStrategy: (times: number) => Math.min(times * 100, 2_000),
    reconnectOnError,
  };
}

export type NightmillRedisOptions = ReturnType<typeof redisOptions>;

/**
 * These say that the connection leads to a server that cannot serve it now, e.g. behind a forwarder that keeps
 * connections open through a failover: only a new connection helps. 2: the command is sent again there.
 */
function reconnectOnError({ message }: Error): 2 | false {
  return /^(READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|UNBLOCKED|NOAUTH)\b/.test(message) ? 2 : false;
}

function addressOptions(url: string) {
  const read = readRedisUrl(url);
  // Not with the URL: it has a password.
  if ('problem' in read) {
    throw new NightmillError('config_invalid', `Cannot read redis: ${redactUrl(url)}: ${read.problem}.`);
  }
  if ('path' in read) return read;
  const { database, tls, ...address } = read;
  return { ...address, ...(database === 0 ? {} : { db: database }), ...(tls ? { tls: {} } : {}) };
}

/**
 * Opens a connection and makes sure that the server can be trusted with money: new enough, and never evicting keys.
 *
 * @throws {NightmillError} `redis_unavailable` or `redis_unsuitable`, with the cure
 */
export async function connectRedis(target: RedisTarget): Promise<Redis> {
  const options = redisOptions(target);
  let lastError: Error | undefined;
  // The first connection is not retried: whoever starts a command wants to know at once.
  const redis = new BatchingRedis({ ...options, retryStrategy: () => null, reconnectOnError: null });
  redis.on('error', (error: Error) => {
    lastError = error;
  });
  try {
    await redis.connect();
    await checkServer(redis, target);
  } catch (error) {
    redis.disconnect();
    if (error instanceof NightmillError) throw error;
    throw unreachable(target, lastError ?? (error as Error));
  }
  redis.options.retryStrategy = options.retryStrategy;
  redis.options.reconnectOnError = options.reconnectOnError;
  return redis;
}

function unreachable(target: RedisTarget, cause: Error): NightmillError {
  const detail = cause.message.trim() === '' ? cause.name : cause.message;
  return new NightmillError(
    'redis_unavailable',
    `Cannot reach Redis at ${redactUrl(target.url)}: ${detail}. ` +
      'Start it, correct redis: in nightmill.yaml, or remove that line to use the embedded server.',
    { cause, retryable: true },
  );
}

async function checkServer(redis: Redis, target: RedisTarget): Promise<void> {
  await checkDatabase(redis, target);
  const info = await redis.info();
  if (/^role:slave/m.test(info) && /^slave_read_only:1/m.test(info)) {
    throw new NightmillError(
      'redis_unsuitable',
      `Redis at ${redactUrl(target.url)} is a read-only replica. Name the primary in redis:, or the address that follows it through a failover.`,
    );
  }
  if (/^cluster_enabled:1/m.test(info)) {
    throw new NightmillError(
      'redis_unsuitable',
      `Redis at ${redactUrl(target.url)} is a node of a Redis Cluster, and redis: names one server. Name a server that is not in cluster mode.`,
    );
  }
  const version = /^redis_version:(\S+)/m.exec(info)?.[1] ?? '0';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < OLDEST_VERSION[0] || (major === OLDEST_VERSION[0] && minor < OLDEST_VERSION[1])) {
    throw new NightmillError(
      'redis_unsuitable',
      `Redis at ${redactUrl(target.url)} is version ${version}; nightmill needs ${OLDEST_VERSION.join('.')} or newer. Upgrade the server.`,
    );
  }
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? 'noeviction';
  const memoryLimit = Number(/^maxmemory:(\d+)/m.exec(info)?.[1] ?? 0);
  if (policy !== 'noeviction' && memoryLimit > 0) {
    throw new NightmillError(
      'redis_unsuitable',
      `Redis at ${redactUrl(target.url)} may drop keys when its memory is full (maxmemory-policy ${policy}), and with them ` +
        'what was spent. Set maxmemory-policy to noeviction.',
    );
  }
}

/** ioredis stays on database 0 where the one in the URL does not exist. */
async function checkDatabase(redis: Redis, target: RedisTarget): Promise<void> {
  const database = redis.options.db ?? 0;
  if (database === 0) return;
  try {
    await redis.select(database);
  } catch (error) {
    throw new NightmillError(
      'redis_unsuitable',
      `Redis at ${redactUrl(target.url)} has no database ${database} (${(error as Error).message}). Use a lower number after the host, or raise the server's "databases".`,
      { cause: error },
    );
  }
}

/** The URL without user and password. */
export function redactUrl(url: string): string {
  return url.replace(/\/\/.*@/, '//***@');
}
