import { MAX_NANO_USD, type NanoUsd } from '../money/money.ts';
import { DAYS_PER_MONTH } from '../money/price-table.ts';

/** What so many documents have cost. */
export interface MeasuredCost {
  readonly documents: number;
  readonly cost: NanoUsd;
}

export interface SwitchCosts {
  /** Documents per month. */
  readonly volume: number;
  /** What it has cost to find out. */
  readonly evaluation: NanoUsd;
  /** What the change takes in work. */
  readonly work: NanoUsd;
}

export interface SwitchWorth {
  readonly monthlyNow: NanoUsd;
  readonly monthlyThen: NanoUsd;
  /** Below 0: the change costs more each month. */
  readonly savedPerMonth: NanoUsd;
  /** Once: evaluation and work. */
  readonly once: NanoUsd;
  /** Undefined: it never pays. 0: it has paid at once. */
  readonly monthsUntilPaid: number | undefined;
  /** What is left after so many months, once paid costs taken off. */
  readonly after: readonly { readonly months: number; readonly left: NanoUsd }[];
}

const HORIZONS = [6, 12];

/** What a change from one way of answering to another is worth, at a volume. */
export function switchWorth(
  now: MeasuredCost,
  then: MeasuredCost,
  { volume, evaluation, work }: SwitchCosts,
): SwitchWorth {
  const monthlyNow = scaleCost(now, volume);
  const monthlyThen = scaleCost(then, volume);
  const savedPerMonth = monthlyNow - monthlyThen;
  const once = evaluation + work;
  return {
    monthlyNow,
    monthlyThen,
    savedPerMonth,
    once,
    monthsUntilPaid: savedPerMonth > 0 ? once / savedPerMonth : once === 0 && savedPerMonth === 0 ? 0 : undefined,
    after: HORIZONS.map((months) => ({ months, left: months * savedPerMonth - once })),
  };
}

/**
 * What a volume would cost at the measured price, rounded to the nano-dollar.
 *
 * @throws {RangeError} above the largest amount, 9 million dollars
 */
export function scaleCost({ documents, cost }: MeasuredCost, volume: number): NanoUsd {
  if (documents === 0) throw new RangeError('Cannot scale the cost of no documents');
  const twice = (2n * BigInt(cost) * BigInt(Math.round(volume))) / BigInt(documents);
  const scaled = (twice + 1n) / 2n;
  if (scaled > BigInt(MAX_NANO_USD)) {
    throw new RangeError(`Cannot reckon with ${volume} documents per month: they cost more than $9,000,000`);
  }
  return Number(scaled);
}

/** Documents per month from `40000/day`, `40000/night` or `1000000/month`; undefined: not so written. */
export function readVolume(text: string): number | undefined {
  const match = /^(\d{1,12})\/(day|night|month)$/.exec(text.replaceAll(/[,_]/g, ''));
  if (match === null || Number(match[1]) === 0) return undefined;
  return Number(match[1]) * (match[2] === 'month' ? 1 : DAYS_PER_MONTH);
}
