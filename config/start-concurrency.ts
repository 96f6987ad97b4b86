import type { ProviderConfig } from './config.ts';
import { PRESETS } from './presets.ts';

const DEFAULT_CONCURRENCY = 32;
/** A self-hosted server may work on a single call at a time. */
const FIRST_CALLS = 4;

/** Hosts of clouds that take dozens of calls at once: those of the presets, and of accounts with names of their own. */
const CLOUDS = new Set(
  Object.values(PRESETS).flatMap((preset) => ('baseUrl' in preset ? [new URL(preset.baseUrl).hostname] : [])),
);
const CLOUD_DOMAIN = /\.(?:openai\.azure\.com|services\.ai\.azure\.com|googleapis\.com|amazonaws\.com)$/;

/**
 * Calls in flight in one process. A number in the config is taken at its word; else a known cloud gets the default at
 * once, and any other server a few, and more as its answers prove it.
 */
export function resolveConcurrency(
  stated: number | undefined,
  baseUrl: string,
): Pick<ProviderConfig['limits'], 'concurrency' | 'startConcurrency'> {
  if (stated !== undefined) return { concurrency: stated };
  const hostname = URL.parse(baseUrl)?.hostname ?? '';
  if (CLOUDS.has(hostname) || CLOUD_DOMAIN.test(hostname)) return { concurrency: DEFAULT_CONCURRENCY };
  return { concurrency: DEFAULT_CONCURRENCY, startConcurrency: FIRST_CALLS };
}
