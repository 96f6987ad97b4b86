import type { ScopeName } from '../ledger/scope.ts';
import type { NanoUsd } from '../money/money.ts';
import type { BatchPlan } from './plan-batch.ts';

/** A limit that the batch would be under. */
export interface PlannedLimit {
  readonly scope: ScopeName;
  readonly limit: NanoUsd;
  /** Spent and held of it in its present period; undefined: not known. */
  readonly spent: NanoUsd | undefined;
  readonly covers: LimitCover;
}

/**
 * `worst`: the whole batch, whatever happens; `expected`: the whole batch at the expected price; `part`: about so many
 * documents; `unknown`: a price is not known.
 */
export type LimitCover =
  | { readonly kind: 'worst' | 'expected' | 'unknown' }
  | { readonly kind: 'part'; readonly documents: number };

/** How far what is left of a limit reaches. What is spent counts as nothing where it is not known. */
export function limitCover(
  { documents, cost, unpriced }: Pick<BatchPlan, 'documents' | 'cost' | 'unpriced'>,
  limit: NanoUsd,
  spent: NanoUsd = 0,
): LimitCover {
  if (unpriced.length > 0) return { kind: 'unknown' };
  const left = Math.max(0, limit - spent);
  if (left >= cost.worst) return { kind: 'worst' };
  if (left >= cost.expected) return { kind: 'expected' };
  return { kind: 'part', documents: Math.floor((left * documents) / cost.expected) };
}
