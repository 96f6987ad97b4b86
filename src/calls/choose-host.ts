import type { NanoUsd } from '../money/money.ts';
import type { Spread } from '../workflows/workflow.ts';

/** One host of a model, as a call that may go elsewhere sees it. */
export interface HostView {
  /** How often this very call has failed there. */
  readonly failures: number;
  /** About; 0: at once. */
  readonly startsInMs: number;
  /** What was taken of its quota in advance. */
  readonly lagMs: number;
  /** Calls under way by those that may be at once. */
  readonly busyShare: number;
  /** What a call like this one costs there; undefined: not known. */
  readonly cost: NanoUsd | undefined;
  /** How long calls take there lately; undefined: not known. */
  readonly callMs: number | undefined;
}

/**
 * The hosts of a model in the order in which a call tries them. One that this call has failed at comes after the others.
 *
 * - `quota`: where it starts soonest; with equal starts, where most of the quota and the places is free.
 * - `cheapest`: the cheapest of those where it starts at once; where it starts nowhere at once, as `quota`.
 * - `fastest`: where its reply is there soonest. A host that nobody has measured lately gets one call to be measured by.
 */
export function orderHosts<T extends HostView>(hosts: readonly T[], spread: Spread): readonly T[] {
  const slowest = Math.max(0, ...hosts.map(({ callMs = 0 }) => callMs));
  const endsInMs = ({ startsInMs, callMs, busyShare }: HostView) =>
    startsInMs + (callMs ?? (busyShare === 0 ? 0 : slowest));
  const costAtOnce = ({ startsInMs, cost = Number.MAX_VALUE }: HostView) =>
    startsInMs > 0 ? Number.POSITIVE_INFINITY : cost;
  const costOf = ({ cost = Number.MAX_VALUE }: HostView) => cost;
  const first = { quota: undefined, cheapest: costAtOnce, fastest: endsInMs }[spread];
  return hosts.toSorted(
    (a, b) =>
      a.failures - b.failures ||
      (first === undefined ? 0 : compare(first(a), first(b))) ||
      a.startsInMs - b.startsInMs ||
      (spread === 'cheapest' ? costOf(a) - costOf(b) : 0) ||
      a.lagMs - b.lagMs ||
      a.busyShare - b.busyShare,
  );
}

/** Two that are infinite are equal. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}
