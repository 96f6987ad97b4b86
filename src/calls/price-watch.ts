import type { NanoUsd } from '../money/money.ts';

/** What a provider has stated over some calls of one model, and what the prices in use make of the same calls. */
export interface PriceDifference {
  readonly model: string;
  /** In whose calls it was noticed. */
  readonly batchId: string;
  readonly calls: number;
  readonly stated: NanoUsd;
  readonly reckoned: NanoUsd;
}

/** So many calls are compared; rounding makes single ones differ. */
const CALLS = 100;
const MAX_DIFFERENCE = 0.02;

/** Compares what providers say that calls have cost with our own reckoning, in this process, 100 calls of a model at a time. */
export class PriceWatch {
  readonly #report: (difference: PriceDifference) => void;
  readonly #sums = new Map<string, { calls: number; stated: NanoUsd; reckoned: NanoUsd }>();

  /** @param report told once for each model that differs by more than 2 % over 100 calls, and again after the next 100 */
  constructor(report: (difference: PriceDifference) => void) {
    this.#report = report;
  }

  note(model: string, batchId: string, { stated, reckoned }: { stated: NanoUsd; reckoned: NanoUsd }): void {
    const known = this.#sums.get(model) ?? { calls: 0, stated: 0, reckoned: 0 };
    const sum = { calls: known.calls + 1, stated: known.stated + stated, reckoned: known.reckoned + reckoned };
    if (sum.calls < CALLS) {
      this.#sums.set(model, sum);
      return;
    }
    this.#sums.delete(model);
    if (Math.abs(sum.stated - sum.reckoned) > MAX_DIFFERENCE * sum.reckoned) this.#report({ model, batchId, ...sum });
  }
}
