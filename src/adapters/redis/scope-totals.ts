import type { ScopeTotals } from '../../ledger/ledger.ts';
import type { Scope, ScopeName } from '../../ledger/scope.ts';
import type { NanoUsd } from '../../money/money.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisClient } from './redis-options.ts';

/** The limit in force: a person's, else the config's that was applied. */
export async function readLimit(redis: RedisClient, keys: RedisKeys, scope: ScopeName): Promise<NanoUsd | undefined> {
  const [set, config] = await redis.hmget(keys.limits, `set:${scope}`, `config:${scope}`);
  const limit = set ?? config ?? undefined;
  return limit === undefined ? undefined : Number(limit);
}

/** What is spent and held in a scope, and its limit. */
export async function readTotals(redis: RedisClient, keys: RedisKeys, scope: Scope): Promise<ScopeTotals> {
  const [values, limit] = await Promise.all([
    redis.hmget(keys.scope(scope.name, scope.period), 'settled', 'uncertain', 'held'),
    readLimit(redis, keys, scope.name),
  ]);
  const [settled = 0, uncertain = 0, held = 0] = values.map(Number);
  return { settled, uncertain, held, ...(limit === undefined ? {} : { limit }) };
}
