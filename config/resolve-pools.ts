import { isDeepStrictEqual } from 'node:util';
import type { PoolLimits } from '../src/ledger/pool-limits.ts';
import { withoutUndefined } from '../src/text/without-undefined.ts';
import { presetOf } from './presets.ts';
import type { RawConfig } from './schema.ts';

type RawProvider = RawConfig['providers'][string];
type RawModel = RawConfig['models'][string];
type RawLimits = NonNullable<RawModel['limits']>;

/**
 * The quota that a model's calls use: the one that the model names, else its own (`provider/model`) where it has
 * limits, else its provider's. No name that people may write holds a slash.
 */
export function poolOfModel(
  name: string,
  model: Pick<RawModel, 'provider' | 'pool' | 'limits'>,
  raw: RawConfig,
): string {
  if (model.pool !== undefined) return model.pool;
  if (model.limits !== undefined) return `${model.provider}/${name}`;
  return poolOfProvider(model.provider, raw.providers[model.provider]);
}

/**
 * Every pool by its name, those without limits included. One pool has one set of limits, stated at one or several of
 * its providers and models; two different ones are a problem, because either could be the wrong one.
 */
export function resolvePools(raw: RawConfig, problems: string[]): ReadonlyMap<string, PoolLimits> {
  const pools = new Map<string, PoolLimits>();
  const statedAt = new Map<string, string>();
  const add = (pool: string, at: string, zone: string | undefined, stated: RawLimits = {}): void => {
    if (stated.dayTimezone !== undefined) checkTimezone(stated.dayTimezone, `${at}.limits.dayTimezone`, problems);
    const limits = withoutUndefined({ dayTimezone: zone, ...poolLimits(stated) });
    const before = statedAt.get(pool);
    if (Object.keys(stated).every((name) => name === 'dayTimezone')) {
      if (!pools.has(pool)) pools.set(pool, limits);
    } else if (before === undefined) {
      pools.set(pool, limits);
      statedAt.set(pool, `${at}.limits`);
    } else if (!isDeepStrictEqual(pools.get(pool), limits)) {
      problems.push(
        `${at}.limits: the pool ${JSON.stringify(pool)} has other limits at ${before}; a pool has one quota, ` +
          'so state its limits in one place',
      );
    }
  };
  for (const [name, provider] of Object.entries(raw.providers)) {
    const { concurrency: _perProcess, ...limits } = provider.limits;
    if (provider.kind !== 'local') add(poolOfProvider(name, provider), `providers.${name}`, zoneOf(provider), limits);
  }
  for (const [name, model] of Object.entries(raw.models)) {
    if (raw.providers[model.provider]?.kind === 'local') continue;
    const provider = raw.providers[model.provider];
    add(poolOfModel(name, model, raw), `models.${name}`, zoneOf(provider), model.limits);
  }
  return pools;
}

/** Of a provider's own day; what the limits themselves state wins over it. */
function zoneOf(provider: RawProvider | undefined): string | undefined {
  if (provider === undefined) return undefined;
  const { preset, kind } = provider;
  return provider.limits.dayTimezone ?? (kind === 'local' ? undefined : presetOf({ preset, kind }).dayTimezone);
}

function poolOfProvider(name: string, provider: RawProvider | undefined): string {
  return provider?.pool ?? name;
}

function poolLimits({ clusterConcurrency, ...limits }: RawLimits): PoolLimits {
  return withoutUndefined({ ...limits, concurrency: clusterConcurrency });
}

/** Adds a problem where the name is no time zone. */
export function checkTimezone(timezone: string, at: string, problems: string[]): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone });
  } catch {
    problems.push(`${at}: ${JSON.stringify(timezone)} is not a time zone; use a name such as Europe/Berlin or UTC`);
  }
}
