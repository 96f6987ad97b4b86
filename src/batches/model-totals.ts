import { type Latency, LatencySum } from '../measures/latency.ts';
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

interface ModelSum {
  readonly totals: Omit<ModelTotals, 'latency'>;
  /** As the only part has it, until there is a second: what is added to is not packed again each time. */
  readonly latency: Latency | LatencySum | undefined;
}

/** Adds up what slices report by model and tier. */
export class ModelSums {
  readonly #sums = new Map<string, ModelSum>();

  add(parts: readonly ModelTotals[]): this {
    for (const { latency, ...part } of parts) {
      const key = `${part.tier}\0${part.model}`;
      const known = this.#sums.get(key);
      if (known === undefined) this.#sums.set(key, { totals: part, latency });
      else {
        const totals = addTotals(known.totals, part);
        this.#sums.set(key, { totals, latency: withLatency(known.latency, latency) });
      }
    }
    return this;
  }

  /** The cheapest tier first. */
  total(): readonly ModelTotals[] {
    return [...this.#sums.values()]
      .map(({ totals, latency }) => {
        const whole = latency instanceof LatencySum ? latency.total() : latency;
        return whole === undefined ? totals : { ...totals, latency: whole };
      })
      .sort((a, b) => a.tier - b.tier || (a.model < b.model ? -1 : 1));
  }
}

function addTotals(known: ModelSum['totals'], part: ModelSum['totals']): ModelSum['totals'] {
  return {
    ...part,
    calls: known.calls + part.calls,
    accepted: known.accepted + part.accepted,
    usage: addUsage(known.usage, part.usage),
    cost: known.cost + part.cost,
    ...countOf('statedCalls', known, part),
    ...countOf('overCapCalls', known, part),
  };
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

function withLatency(sum: ModelSum['latency'], part: Latency | undefined): ModelSum['latency'] {
  if (sum === undefined || part === undefined) return sum ?? part;
  const whole = sum instanceof LatencySum ? sum : LatencySum.of(sum);
  whole.addPart(part);
  return whole;
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
