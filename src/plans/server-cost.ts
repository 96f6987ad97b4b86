import type { NanoUsd } from '../money/money.ts';
import { type PowerSettings, powerCost } from '../providers/power.ts';
import { MINUTE_MS } from '../runtime/durations.ts';
import type { CostRange } from './plan.ts';

/** What the hours of a server would cost that is switched on for a batch. */
export interface ServerPlan {
  readonly provider: string;
  /** It stays on so long after the batch. */
  readonly idleMinutes: number;
  /** Absent: not known. */
  readonly perHour?: NanoUsd;
  readonly cost?: CostRange;
}

/**
 * For a batch alone, from the server's start to its stop; how long it takes to start is not known before.
 *
 * @param minutes that the batch would take
 */
export function planServer(
  provider: string,
  { perHour, afterIdleMs }: Pick<PowerSettings, 'perHour' | 'afterIdleMs'>,
  minutes: CostRange,
): ServerPlan {
  const plan = { provider, idleMinutes: afterIdleMs / MINUTE_MS };
  if (perHour === undefined) return plan;
  const costOf = (taken: number) => powerCost(perHour, Math.max(1, taken * MINUTE_MS + afterIdleMs));
  const cost = { low: costOf(minutes.low), expected: costOf(minutes.expected), worst: costOf(minutes.worst) };
  return { ...plan, perHour, cost };
}
