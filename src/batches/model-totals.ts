import { addLatency, type Latency } from '../measures/latency.ts';
import type { NanoUsd } from '../money/money.ts';
import { addUsage, type Usage } from '../money/usage.ts';
import { allTiers, LOCAL_MODEL_NAME, modelsOfTier, type RoutedTiers } from '../workflows/workflow.ts';

/** Calls, tokens and money of one model at one tier. */
export interface ModelTotals {
  readonly model: string;
  readonly tier: number;
  readonly calls: number;
  /** Documents whose final answer came from here. */
  readonly accepted: number;
  readonly usage: Usage;
  readonly cost: NanoUsd;
  /** Calls whose cost is what the provider has stated. Absent: none. */
  readonly statedCalls?: number;
  /** Calls that billed more output than their request allowed. Absent: none. */
  readonly overCapCalls?: number;
  /** Its provider in the config. Absent for the local model and in what earlier versions wrote. */
  readonly provider?: string;
  /** Of calls that were made and answered. Absent: none, or not known. */
  readonly latency?: Latency;
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
            ...countOf('statedCalls', known, part),
            ...countOf('overCapCalls', known, part),
            ...latencyOf(known, part),
          },
    );
  }
  return [...totals.values()].sort((a, b) => a.tier - b.tier || (a.model < b.model ? -1 : 1));
}

/** Absent where it is 0. */
function countOf<Name extends 'statedCalls' | 'overCapCalls'>(
  name: Name,
  a: Pick<ModelTotals, Name>,
  b: Pick<ModelTotals, Name>,
): Partial<Record<Name, number>> {
  const count = (a[name] ?? 0) + (b[name] ?? 0);
  return (count === 0 ? {} : { [name]: count }) as Partial<Record<Name, number>>;
}

function latencyOf(a: ModelTotals, b: ModelTotals): Pick<ModelTotals, 'latency'> {
  const latency = addLatency(a.latency, b.latency);
  return latency === undefined ? {} : { latency };
}

/** With the provider of each model, as the batch's workflow has it. */
export function withProviders(totals: readonly ModelTotals[], workflow: RoutedTiers): readonly ModelTotals[] {
  const providers = new Map(
    allTiers(workflow)
      .flatMap(modelsOfTier)
      .map(({ name, provider }) => [name, provider]),
  );
  return totals.map((sum) => {
    const provider = sum.model === LOCAL_MODEL_NAME ? undefined : providers.get(sum.model);
    return provider === undefined ? sum : { ...sum, provider };
  });
}
