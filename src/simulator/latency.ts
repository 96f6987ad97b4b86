import type { SimulatedLatency } from './options.ts';
import { normalChance } from './random.ts';

/** How many standard deviations the 95th percentile of a normal distribution lies above its median. */
const Z95 = 1.6448536269514722;

/** Log-normal milliseconds with the given median and 95th percentile, fixed by seed and key. */
export function drawLatencyMs(latency: SimulatedLatency, seed: number, key: string): number {
  if (latency.p50Ms === 0) return 0;
  const sigma = Math.log(latency.p95Ms / latency.p50Ms) / Z95;
  return latency.p50Ms * Math.exp(sigma * normalChance(seed, key, 'latency'));
}

/** A server that works on so many calls at once. The others wait in the order in which they came. */
export class SlotLine {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(slots: number) {
    this.#free = slots;
  }

  /**
   * @param begin called when it is its turn; whoever is called calls `leave` at its end
   * @returns takes it out of the line; false where it has begun
   */
  enter(begin: () => void): () => boolean {
    if (this.#free > 0) {
      this.#free -= 1;
      begin();
    } else this.#waiting.push(begin);
    return () => {
      const at = this.#waiting.indexOf(begin);
      if (at >= 0) this.#waiting.splice(at, 1);
      return at >= 0;
    };
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
