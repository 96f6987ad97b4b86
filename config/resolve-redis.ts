import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { withoutUndefined } from '../src/text/without-undefined.ts';
import type { RedisTarget, RedisTls } from './redis-target.ts';
import type { RawConfig } from './schema.ts';

/** Reads the files that `redis.tls` names, which are beside the config. */
export function resolveRedis(
  raw: RawConfig['redis'],
  folder: string,
  problems: string[],
): { readonly redis: RedisTarget } | undefined {
  if (raw === undefined) return undefined;
  if (typeof raw === 'string') return { redis: { url: raw } };
  const { tls, ...rest } = withoutUndefined(raw);
  if (tls === undefined) return { redis: rest as RedisTarget };
  return { redis: { ...rest, tls: readTls(tls, folder, problems) } as RedisTarget };
}

function readTls(files: { readonly [name: string]: string | undefined }, folder: string, problems: string[]): RedisTls {
  const read = Object.entries(files).flatMap(([name, file]) => {
    if (file === undefined) return [];
    try {
      return [[name, readFileSync(resolve(folder, file), 'utf8')]];
    } catch (error) {
      problems.push(`redis.tls.${name}: cannot read ${resolve(folder, file)}: ${(error as Error).message}`);
      return [];
    }
  });
  return Object.fromEntries(read);
}
