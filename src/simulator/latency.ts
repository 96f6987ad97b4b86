import { normalChance } from './random.ts';

/** How many standard deviations the 95th percentile of a normal distribution lies above its median. */
const Z95 = 1.6448536269514722;

/** Log-normal milliseconds with the given median and 95th percentile, fixed by seed and key. */
export function drawLatencyMs(
  latency: { readonly p50Ms: number; readonly p95Ms: number },
  seed: number,
  key: string,
): number {
  if (latency.p50Ms === 0) return 0;
  const sigma = Math.log(latency.p95Ms / latency.p50Ms) / Z95;
  return latency.p50Ms * Math.exp(sigma * normalChance(seed, key, 'latency'));
}
