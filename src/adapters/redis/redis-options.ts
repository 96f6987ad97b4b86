import { Cluster, type Redis } from 'ioredis';
import {
  describeTarget,
  type HostAddress,
  type RedisTarget,
  type RedisTls,
  redactUrl,
} from '../../../config/redis-target.ts';
import { readRedisUrl } from '../../../config/redis-url.ts';
import { NightmillError } from '../../errors.ts';

/** A connection to one server, or those to the nodes of a cluster: the commands are the same. */
export type RedisClient = Redis | Cluster;

export type ClusterTarget = Extract<RedisTarget, { readonly cluster: readonly string[] }>;
export type ServerTarget = Exclude<RedisTarget, ClusterTarget>;

const CONNECT_TIMEOUT_MS = 5_000;
const RETRIES_PER_COMMAND = 40;
/** While a slot moves, a command on several keys is told to try again until all of them have arrived. */
const TRY_AGAIN_MS = 100;
const REDIRECTIONS_PER_COMMAND = 600;

const waitBeforeRetry = (times: number) => Math.min(times * 100, 2_000);

/**
 * Options for every connection to a server or to the primary that Sentinels name: commands survive a restart of the
 * server of about a minute and are sent again afterwards (every script is idempotent).
 */
export function redisOptions(target: ServerTarget) {
  return {
    ...addressOptions(target),
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    maxRetriesPerRequest: RETRIES_PER_COMMAND,
    retryStrategy: waitBeforeRetry,
    sentinelRetryStrategy: waitBeforeRetry,
    reconnectOnError,
  };
}

/** A client of a cluster that is not connected yet; its commands outlive a reshard and a failover of about a minute. */
export function newClusterClient(target: ClusterTarget, options: { readonly lazyConnect?: boolean } = {}): Cluster {
  const [first, ...others] = target.cluster.map((url) => readHost(url, target));
  if (first === undefined) throw new NightmillError('config_invalid', 'redis.cluster: names no node.');
  const tls = tlsOptions(target.tls, first.tls);
  const nodes = [first, ...others].map(({ host, port }) => ({ host, port }));
  return new Cluster(nodes, {
    lazyConnect: true,
    clusterRetryStrategy: waitBeforeRetry,
    maxRedirections: REDIRECTIONS_PER_COMMAND,
    retryDelayOnTryAgain: TRY_AGAIN_MS,
    retryDelayOnClusterDown: TRY_AGAIN_MS,
    retryDelayOnFailover: TRY_AGAIN_MS,
    // A certificate names hosts: the name must reach the handshake as it was announced.
    ...(tls === undefined
      ? {}
      : { dnsLookup: (host: string, done: (error: null, host: string) => void) => done(null, host) }),
    redisOptions: {
      ...credentials(first),
      ...(tls === undefined ? {} : { tls }),
      connectTimeout: CONNECT_TIMEOUT_MS,
      maxRetriesPerRequest: null,
    },
    ...options,
  });
}

/**
 * These say that the connection leads to a server that cannot serve it now, e.g. behind a forwarder that keeps
 * connections open through a failover: only a new connection helps. 2: the command is sent again there.
 */
function reconnectOnError({ message }: Error): 2 | false {
  return /^(READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|UNBLOCKED|NOAUTH)\b/.test(message) ? 2 : false;
}

function addressOptions(target: ServerTarget) {
  if ('sentinels' in target) return sentinelOptions(target);
  const read = readRedisUrl(target.url);
  if ('path' in read) return read;
  const { host, port, database, ...login } = readHost(target.url, target);
  const tls = tlsOptions(target.tls, login.tls);
  return {
    host,
    port,
    ...credentials(login),
    ...(database === 0 ? {} : { db: database }),
    ...(tls === undefined ? {} : { tls }),
  };
}

function sentinelOptions(target: Extract<RedisTarget, { readonly sentinels: readonly string[] }>) {
  const hosts = target.sentinels.map((url) => readHost(url, target));
  const tls = tlsOptions(target.tls, hosts[0]?.tls ?? false);
  const { username, password } = hosts[0] ?? {};
  return {
    sentinels: hosts.map(({ host, port }) => ({ host, port })),
    name: target.name,
    ...(target.username === undefined ? {} : { username: target.username }),
    ...(target.password === undefined ? {} : { password: target.password }),
    ...(target.database === undefined ? {} : { db: target.database }),
    ...(username === undefined ? {} : { sentinelUsername: username }),
    ...(password === undefined ? {} : { sentinelPassword: password }),
    ...(tls === undefined ? {} : { tls, sentinelTLS: tls, enableTLSForSentinelMode: true }),
  };
}

function readHost(url: string, target: RedisTarget): HostAddress {
  const read = readRedisUrl(url);
  // Not with the URL: it has a password.
  if ('problem' in read) {
    throw new NightmillError('config_invalid', `Cannot read redis: ${redactUrl(url)}: ${read.problem}.`);
  }
  if ('path' in read) {
    throw new NightmillError('config_invalid', `Cannot use a socket in ${describeTarget(target)}. Name host and port.`);
  }
  return read;
}

function credentials({ username, password }: { readonly username?: string; readonly password?: string }) {
  return { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) };
}

function tlsOptions(files: RedisTls | undefined, asked: boolean): RedisTls | undefined {
  return files ?? (asked ? {} : undefined);
}
