import { chance } from '../../src/simulator/random.ts';
import { FilePlace } from './file-place.ts';
import type { Scenario } from './scenario.ts';
import { StoreFront } from './store-front.ts';

export async function openStorePlace(
  folder: string,
  { clusterFaults }: Scenario,
  stack: AsyncDisposableStack,
): Promise<StoreFront | FilePlace> {
  if (clusterFaults.some((name) => name === 's3' || name.startsWith('store-')))
    return stack.use(await StoreFront.start());
  return stack.use(new FilePlace(folder, clusterFaults.includes('files-full')));
}

export function storeSettings(store: StoreFront | FilePlace, way: 'front' | 'direct') {
  return store instanceof StoreFront
    ? store.settings(way)
    : { store: `file:${way === 'front' ? store.link : store.path}` };
}

/** Midnight would begin a new day and lift the limit: whatever the hour, it is about midday there. */
export function middayTimezone(): string {
  const offset = new Date().getUTCHours() - 12;
  return offset === 0 ? 'UTC' : `Etc/GMT${offset > 0 ? '+' : ''}${offset}`;
}

/** Every other worker's clock jumps in the middle of its work: by some seconds, which it bears, or by hours. */
export function falseClock(seed: number, number: number): readonly string[] {
  const draw = (purpose: string) => chance(seed, 'chaos clock', `${number} ${purpose}`);
  if (number % 2 === 0) return [];
  const jump = [-40_000, 20_000, 3_600_000 * 2, -3_600_000 * 26][Math.floor(4 * draw('jump'))] ?? 0;
  const url = new URL('../helpers/false-clock.ts', import.meta.url);
  url.search = new URLSearchParams({
    ahead: String(jump),
    after: String(Math.floor(15_000 * draw('after'))),
  }).toString();
  return ['--import', url.href];
}
