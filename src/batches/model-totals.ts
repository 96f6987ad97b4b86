import type { NanoUsd } from '../money/money.ts';
import { addUsage, type Usage } from '../money/usage.ts';

/** Calls, tokens and money of one model at one tier. */
export interface ModelTotals {
  readonly model: string;
  readonly tier: number;
  readonly calls: number;
  /** Documents whose final answer came from here. */
  readonly accepted: number;
  readonly usage: Usage;
  readonly cost: NanoUsd;
}

/** Adds up what slices report by model and tier. */
export function addModelTotals(sum: readonly ModelTotals[], more: readonly ModelTotals[]): readonly ModelTotals[] {
  const totals = new Map<string, ModelTotals>();
  for (const part of [...sum, ...more]) {
    const key = `${part.tier}\0${part.model}`;
    const known = totals.get(key);
    totals.set(
      key,
      known === undefined
        ? part
        : {
            ...part,
            calls: known.calls + part.calls,
            accepted: known.accepted + part.accepted,
            usage: addUsage(known.usage, part.usage),
            cost: known.cost + part.cost,
          },
    );
  }
  return [...totals.values()].sort((a, b) => a.tier - b.tier || (a.model < b.model ? -1 : 1));
}
