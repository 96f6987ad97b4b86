import { createHash } from 'node:crypto';
import type { Config } from '../../config/config.ts';

/**
 * Equal for configs by which workers do and spend the same, whatever their files look like. Secrets and what each
 * machine has for itself (proxy, folder, slices at once) are left out.
 *
 * @returns 12 hex digits
 */
export function configHash(config: Config): string {
  const { providers, models, pools, workflows, budget, tenants, allowUnknownTenants, timezone, store, ingest } = config;
  const value = {
    providers: [...providers.values()].map(({ name, kind, baseUrl, isLocal, capabilities, request }) => ({
      name,
      kind,
      baseUrl,
      isLocal,
      capabilities,
      request,
    })),
    models,
    pools,
    workflows,
    budget,
    tenants,
    allowUnknownTenants,
    timezone,
    store: store.url,
    ingest,
  };
  return createHash('sha256').update(JSON.stringify(value, sorted)).digest('hex').slice(0, 12);
}

/** A replacer for which the order of keys means nothing. */
function sorted(_key: string, value: unknown): unknown {
  const fields = value instanceof Map ? Object.fromEntries(value) : value;
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) return fields;
  return Object.fromEntries(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1)));
}
