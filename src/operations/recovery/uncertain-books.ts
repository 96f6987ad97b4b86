import type { NanoUsd } from '../../money/money.ts';

export interface UncertainBooks {
  readonly uncertain: NanoUsd;
  /** By call id, each a JSON object with its `nano`: they add up to `uncertain`. */
  readonly uncertainCalls: Readonly<Record<string, string>>;
}

/**
 * The uncertain calls of a batch after a loss. A checkpoint reads their list a moment before their total, so a call
 * that was booked between the two is in the total alone, and one that was settled then in the list alone. Pure.
 *
 * @param list as the checkpoint has it
 * @param total as the checkpoint has it
 * @param lost replies and calls in flight that were in no row
 */
export function uncertainBooks(list: Readonly<Record<string, string>>, total: NanoUsd, lost: NanoUsd): UncertainBooks {
  // What an earlier recovery has listed as one is in the total, and joins what is listed as one now.
  const { recovered: _, ...calls } = list;
  const listed = Object.values(calls).reduce(
    (sum, json) => sum + (JSON.parse(json) as { readonly nano: NanoUsd }).nano,
    0,
  );
  const nano = Math.max(0, total - listed) + lost;
  if (nano === 0) return { uncertain: listed, uncertainCalls: calls };
  const reason = 'its reply, or whether there was one, was lost with Redis';
  const recovered = JSON.stringify({ nano, model: 'unknown', slice: 0, reason });
  return { uncertain: listed + nano, uncertainCalls: { ...calls, recovered } };
}
