import type { Redis } from 'ioredis';
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
    ...(url.startsWith('unix://') ? { path: url.slice('unix://'.length) } : urlOptions(url)),
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    maxRetriesPerRequest: RETRIES_PER_COMMAND,
    retryStrategy: (times: number) => Math.min(times * 100, 2_000),
  };
}

export type NightmillRedisOptions = ReturnType<typeof redisOptions>;

function urlOptions(url: string) {
  const parsed = parseUrl(url);
  const database = parsed.pathname.replace(/^\//, '');
  return {
    host: parsed.hostname.replace(/^\[|\]$/g, '') || 'localhost',
    port: parsed.port === '' ? 6379 : Number(parsed.port),
    ...(parsed.username === '' ? {} : { username: decodeURIComponent(parsed.username) }),
    ...(parsed.password === '' ? {} : { password: decodeURIComponent(parsed.password) }),
    ...(database === '' ? {} : { db: Number(database) }),
    ...(parsed.protocol === 'rediss:' ? { tls: {} } : {}),
  };
}

function parseUrl(url: string): URL {
  try {
    return new URL(url);
  } catch {
    // Not the cause: it repeats the URL with its password.
    throw new NightmillError(
      'config_invalid',
      `Cannot read redis: ${redactUrl(url)} as a URL. Write it as redis://user:password@host:port/database; ` +
        'in the password, write "/" as %2F, "@" as %40 and "#" as %23.',
    );
  }
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
  const redis = new BatchingRedis({ ...options, retryStrategy: () => null });
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
  const info = await redis.info();
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

/** The URL without user and password. */
export function redactUrl(url: string): string {
  return url.replace(/\/\/.*@/, '//***@');
}
