/** Where a `redis:` URL leads. `path`: a unix socket. */
export type RedisAddress =
  | { readonly path: string }
  | {
      readonly host: string;
      readonly port: number;
      readonly username?: string;
      readonly password?: string;
      readonly database: number;
      readonly tls: boolean;
    };

const ESCAPES = 'in the password, write "%" as %25, "/" as %2F, "@" as %40, "#" as %23 and "?" as %3F';

/**
 * Reads a `redis:` URL, the one way for everything that needs a part of it.
 *
 * @returns the address, or a problem that never repeats user or password
 */
export function readRedisUrl(url: string): RedisAddress | { readonly problem: string } {
  if (url.startsWith('unix://')) {
    const path = url.slice('unix://'.length);
    return path.startsWith('/') ? { path } : { problem: 'a socket needs its whole path: unix:///run/redis/redis.sock' };
  }
  if (!/^rediss?:\/\//.test(url)) return { problem: 'must be a redis://, rediss:// or unix:// URL' };
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const username = parsed === undefined ? undefined : decode(parsed.username);
  const password = parsed === undefined ? undefined : decode(parsed.password);
  if (parsed === undefined || username === undefined || password === undefined || isCutOff(url, parsed)) {
    return { problem: `cannot be read as a URL. Write it as redis://user:password@host:port/database; ${ESCAPES}` };
  }
  const database = parsed.pathname.replace(/^\/|\/$/g, '');
  if (!/^\d{0,5}$/.test(database)) {
    return {
      problem: `the part after the host must be the number of a database, as in redis://host:6379/3, not ${JSON.stringify(database)}`,
    };
  }
  return {
    host: parsed.hostname.replace(/^\[|\]$/g, '') || 'localhost',
    port: parsed.port === '' ? 6379 : Number(parsed.port),
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    database: Number(database),
    tls: parsed.protocol === 'rediss:',
  };
}

/** An unescaped "/", "?" or "#" in a password ends the host early, so that its "@" stands behind the host. */
function isCutOff(url: string, { pathname, search, hash }: URL): boolean {
  return `${pathname}${search}${hash}`.includes('@') || (search !== '' && url.includes('@'));
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
