import { type RedisAddress, readRedisUrl } from './redis-url.ts';

/** PEM text of what a server with TLS is checked by and what this program shows it. */
export interface RedisTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Where Redis is: one server, a Redis Cluster by some of its nodes, or a primary that Sentinels name. */
export type RedisTarget =
  | { readonly url: string; readonly tls?: RedisTls }
  | { readonly cluster: readonly string[]; readonly tls?: RedisTls }
  | {
      readonly sentinels: readonly string[];
      /** Under which the Sentinels know the primary. */
      readonly name: string;
      /** Of the primary; the Sentinels' own stand in their URLs. */
      readonly username?: string;
      readonly password?: string;
      readonly database?: number;
      readonly tls?: RedisTls;
    };

export type HostAddress = Exclude<RedisAddress, { readonly path: string }>;

/** Every URL of a target, for what needs to look at each. */
export function urlsOf(target: RedisTarget): readonly string[] {
  if ('url' in target) return [target.url];
  return 'cluster' in target ? target.cluster : target.sentinels;
}

/** For messages and `doctor`, without users and passwords. */
export function describeTarget(target: RedisTarget): string {
  const urls = urlsOf(target).map(redactUrl).join(', ');
  if ('url' in target) return urls;
  return 'cluster' in target ? `the cluster of ${urls}` : `${JSON.stringify(target.name)} of the Sentinels ${urls}`;
}

/** Passwords of a target, for the one place that removes them from logs. */
export function passwordsOf(target: RedisTarget): readonly string[] {
  const inUrls = urlsOf(target).flatMap((url) => {
    const read = readRedisUrl(url);
    return 'password' in read && read.password !== undefined ? [read.password] : [];
  });
  return 'sentinels' in target && target.password !== undefined ? [...inUrls, target.password] : inUrls;
}

/** Why the URLs of a list do not go together; they are readable each. */
export function listProblem(urls: readonly string[]): string | undefined {
  const read = urls.map(readRedisUrl).filter((address) => !('problem' in address));
  if (read.some((address) => 'path' in address))
    return 'a list names servers by host and port; a socket has its own redis: unix:///path';
  const hosts = read as readonly HostAddress[];
  if (hosts.some(({ database }) => database !== 0))
    return 'leave out the number of the database: a cluster has one, and Sentinels are asked for none';
  const logins = new Set(hosts.map(({ username, password, tls }) => JSON.stringify([username, password, tls])));
  return logins.size > 1
    ? 'user, password and redis:// or rediss:// must be the same in every URL of the list'
    : undefined;
}

/** The URL without user and password. */
export function redactUrl(url: string): string {
  return url.replace(/\/\/.*@/, '//***@');
}
