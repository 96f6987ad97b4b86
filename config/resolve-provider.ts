import type { PowerSettings } from '../src/providers/power.ts';
import { parseDuration } from '../src/text/parse-duration.ts';
import { withoutUndefined } from '../src/text/without-undefined.ts';
import type { ProviderConfig } from './config.ts';
import { presetOf } from './presets.ts';
import type { RawConfig } from './schema.ts';
import { resolveConcurrency } from './start-concurrency.ts';

type RawProvider = RawConfig['providers'][string];

/** The providers that are reached over the network; one of kind `local` is none. */
export function resolveProviders(
  raw: RawConfig,
  proxy: Pick<ProviderConfig, 'proxy'>,
): ReadonlyMap<string, ProviderConfig> {
  const providers = new Map<string, ProviderConfig>();
  for (const [name, provider] of Object.entries(raw.providers)) {
    const { kind } = provider;
    if (kind !== 'local') providers.set(name, { ...resolveProvider(name, { ...provider, kind }), ...proxy });
  }
  return providers;
}

/** What is written wins over the preset; the schema has made sure that both together have an address. */
function resolveProvider(
  name: string,
  raw: Omit<RawProvider, 'kind'> & { readonly kind?: ProviderConfig['kind'] | undefined },
): ProviderConfig {
  const base = presetOf(raw);
  const { maxTokensField, structuredOutput, temperature, promptCache, reasoning } = raw;
  const baseUrl = (raw.baseUrl ?? base.baseUrl ?? '').replace(/\/+$/, '');
  return {
    name,
    kind: base.kind,
    ...(raw.preset === undefined ? {} : { preset: raw.preset }),
    baseUrl,
    ...(raw.apiKey === undefined || raw.apiKey === '' ? {} : { apiKey: raw.apiKey }),
    ...(base.authHeader === undefined ? {} : { authHeader: base.authHeader }),
    headers: raw.headers ?? {},
    timeoutMs: raw.timeoutSeconds * 1000,
    isLocal: raw.dataPolicy?.location === 'local',
    ...(raw.dataPolicy?.training === false ? { noTraining: true as const } : {}),
    capabilities: {
      ...base.capabilities,
      ...withoutUndefined({ maxTokensField, structuredOutput, temperature, promptCache, reasoning }),
    },
    ...(raw.power === undefined ? {} : { power: resolvePower(raw.power, raw.price, baseUrl) }),
    ...(raw.request === undefined ? {} : { request: raw.request }),
    ...(raw.canary === undefined
      ? {}
      : { canary: withoutUndefined({ everyMs: parseDuration(raw.canary.every) ?? 0, model: raw.canary.model }) }),
    limits: { ...withoutUndefined(raw.limits), ...resolveConcurrency(raw.limits.concurrency, baseUrl) },
  };
}

function resolvePower(
  { start, ready, stop, afterIdleMinutes }: NonNullable<RawProvider['power']>,
  price: RawProvider['price'],
  baseUrl: string,
): PowerSettings {
  const isUrl = typeof ready === 'string' && URL.canParse(ready);
  return {
    start,
    stop,
    ready: ready === undefined ? { url: `${baseUrl}/models` } : isUrl ? { url: ready } : { command: ready },
    afterIdleMs: afterIdleMinutes * 60_000,
    ...(price === undefined ? {} : { perHour: price.perHour }),
  };
}
