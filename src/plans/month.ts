import { MAX_NANO_USD, type NanoUsd } from '../money/money.ts';
import type { CostRange } from './plan.ts';

/** How many documents a month has, and who says so. */
export interface MonthVolume {
  readonly documents: number;
  /** Batches like the planned one; undefined: documents were named. */
  readonly batches: number | undefined;
  /** `schedule`: the workflow's slots of the next 30 days; `stated`: a person. */
  readonly from: 'schedule' | 'stated';
}

export interface MonthForecast extends MonthVolume {
  /** Undefined: a price is not known. */
  readonly cost: CostRange | undefined;
}

/** What a month costs whose documents are like the planned ones; undefined where none were planned. */
export function forecastMonth(
  plan: { readonly documents: number; readonly cost: CostRange; readonly unpriced: readonly string[] },
  volume: MonthVolume,
): MonthForecast | undefined {
  if (plan.documents === 0) return undefined;
  const { low, expected, worst } = plan.cost;
  const share = volume.documents / plan.documents;
  const cost = { low: scaleUp(low, share), expected: scaleUp(expected, share), worst: scaleUp(worst, share) };
  return { ...volume, cost: plan.unpriced.length > 0 ? undefined : cost };
}

/** Amounts end at the largest that can be written down. */
export function scaleUp(cost: NanoUsd, share: number): NanoUsd {
  return Math.min(MAX_NANO_USD, Math.round(cost * share));
}
