import type { PoolLimits } from '../ledger/pool-limits.ts';
import { type QuotaAmount, quotaMinutes } from '../quota/quota-minutes.ts';

/** Documents per minute that the local tier answers in one process, on one core. */
export const LOCAL_DOCUMENTS_PER_MINUTE = 1_500;

/** How fast a host of a tier can be asked. */
export interface Throughput {
  readonly limits: PoolLimits;
  /** As the calls in flight and the time of a call allow. */
  readonly callsPerMinute: number;
}

/** The least minutes that so many calls take where several hosts work side by side, each at its limits; 0 where none is named. */
export function hostMinutes(amount: QuotaAmount, hosts: readonly Throughput[]): number {
  const alone = hosts.map(({ callsPerMinute, limits }) =>
    Math.max(amount.calls / callsPerMinute, quotaMinutes(amount, limits)),
  );
  if (alone.length === 0 || alone.includes(0)) return 0;
  return 1 / alone.reduce((sum, minutes) => sum + 1 / minutes, 0);
}
