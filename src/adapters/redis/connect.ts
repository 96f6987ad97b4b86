import type { Cluster, Redis } from 'ioredis';
import { describeTarget, type RedisTarget } from '../../../config/redis-target.ts';
import { NightmillError } from '../../errors.ts';
import { BatchingRedis } from './batching-redis.ts';
import {
  type ClusterTarget,
  newClusterClient,
  type RedisClient,
  redisOptions,
  type ServerTarget,
} from './redis-options.ts';
import { checkServer } from './server/check-server.ts';
import { rightsProblem } from './server/rights-problem.ts';

/**
 * Opens a connection and makes sure that the server, or each primary of a cluster, can be trusted with money.
 *
 * @throws {NightmillError} `redis_unavailable` or `redis_unsuitable`, with the fix
 */
export async function connectRedis(target: ServerTarget): Promise<Redis>;
export async function connectRedis(target: RedisTarget): Promise<RedisClient>;
export async function connectRedis(target: RedisTarget): Promise<RedisClient> {
  return 'cluster' in target ? await connectCluster(target) : await connectServer(target);
}

async function connectServer(target: ServerTarget): Promise<Redis> {
  const options = redisOptions(target);
  // The first connection is not retried: whoever starts a command wants to know at once.
  const once = { retryStrategy: () => null, sentinelRetryStrategy: () => null, reconnectOnError: null };
  const redis = new BatchingRedis({ ...options, ...once });
  const lastError = watchErrors(redis);
  try {
    await redis.connect();
    await checkServer(redis, describeTarget(target), 'server');
  } catch (error) {
    redis.disconnect();
    throw connectFailure(target, error as Error, lastError());
  }
  redis.options.retryStrategy = options.retryStrategy;
  redis.options.sentinelRetryStrategy = options.sentinelRetryStrategy;
  redis.options.reconnectOnError = options.reconnectOnError;
  return redis;
}

async function connectCluster(target: ClusterTarget): Promise<Cluster> {
  const cluster = newClusterClient(target);
  const { clusterRetryStrategy } = cluster.options;
  cluster.options.clusterRetryStrategy = () => null;
  const lastError = watchErrors(cluster);
  try {
    await cluster.connect();
    for (const node of cluster.nodes('master')) {
      await checkServer(node, `${node.options.host}:${node.options.port}`, 'node');
    }
  } catch (error) {
    cluster.disconnect();
    throw connectFailure(target, error as Error, lastError());
  }
  if (clusterRetryStrategy !== undefined) cluster.options.clusterRetryStrategy = clusterRetryStrategy;
  return cluster;
}

/** An error event without a listener would end the process; the last one says more than that the connection closed. */
function watchErrors(client: RedisClient): () => Error | undefined {
  let last: Error | undefined;
  client.on('error', (error: Error & { readonly lastNodeError?: Error }) => {
    last = error.lastNodeError ?? error;
  });
  return () => last;
}

function connectFailure(target: RedisTarget, error: Error, seen: Error | undefined): NightmillError {
  if (error instanceof NightmillError) return error;
  const inner = (error as { readonly lastNodeError?: Error }).lastNodeError;
  const cause = inner ?? seen ?? error;
  const rights = rightsProblem(cause);
  if (rights !== undefined) return rights;
  const detail = cause.message.trim() === '' ? cause.name : cause.message.replace(/\.+$/, '');
  if (/unknown command/i.test(detail) && 'url' in target) {
    return new NightmillError(
      'redis_unsuitable',
      `What answers at ${describeTarget(target)} is no Redis server (${detail}). Where it is a Sentinel, write redis: { sentinels: [its URL], name: … }.`,
      { cause },
    );
  }
  if (/cluster support disabled/i.test(detail)) {
    return new NightmillError(
      'redis_unsuitable',
      `No server of ${describeTarget(target)} is in cluster mode. Write redis: with the URL of the one server.`,
      { cause },
    );
  }
  return new NightmillError(
    'redis_unavailable',
    `Cannot reach Redis at ${describeTarget(target)}: ${detail}. ` +
      'Start it, correct redis: in nightmill.yaml, or remove that line to use the embedded server.',
    { cause, retryable: true },
  );
}
