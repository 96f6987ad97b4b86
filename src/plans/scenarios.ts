import type { WorkflowHistory } from '../batches/workflow-history.ts';
import { MAX_NANO_USD, type NanoUsd } from '../money/money.ts';
import type { QuotaAmount } from '../quota/quota-minutes.ts';
import { hostsOf, LOCAL_MODEL_NAME, poolOf, type Tier, type WorkflowSpec } from '../workflows/workflow.ts';
import { hostMinutes, LOCAL_DOCUMENTS_PER_MINUTE, type Throughput } from './host-minutes.ts';

/** What a tier would take if it were asked about documents, replies of typical length. */
export interface TierLoad extends QuotaAmount {
  readonly documents: number;
  readonly cost: NanoUsd;
}

/** What the documents take that begin at one tier, at that tier and at each one after it. */
export interface StartLoad {
  readonly start: number;
  /** By the index of the tier; those before `start` are empty. */
  readonly tiers: readonly TierLoad[];
}

export const NO_LOAD: TierLoad = { documents: 0, calls: 0, inputTokens: 0, outputTokens: 0, cost: 0 };

export function addLoads(a: TierLoad, b: TierLoad): TierLoad {
  return {
    documents: a.documents + b.documents,
    calls: a.calls + b.calls,
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cost: a.cost + b.cost,
  };
}

/** What a batch costs and takes if the tiers accept so many of the documents that reach them. */
export interface Scenario {
  /** By tier, 0 to 1; the last tier takes what reaches it. */
  readonly accepted: readonly number[];
  /** `history`: as in batches that have finished; `stated`: what if. */
  readonly from: 'history' | 'stated';
  readonly cost: NanoUsd;
  /** In one process, at the quotas; the tiers work side by side, so that the slowest decides. */
  readonly minutes: number;
  readonly tiers: readonly ScenarioTier[];
}

export interface ScenarioTier {
  readonly model: string;
  /** That are asked about here. */
  readonly documents: number;
  readonly calls: number;
  readonly cost: NanoUsd;
  /** Of the quota that it shares with other tiers, or of the built-in model. */
  readonly minutes: number;
}

export interface ScenarioOf {
  readonly cascade: readonly Tier[];
  readonly loads: readonly StartLoad[];
  /** Of questions that are asked before the cascade. */
  readonly askingCost: NanoUsd;
  /** Of each host of a tier. */
  readonly throughput: (tier: Tier) => readonly Throughput[];
}

export function scenario(
  { cascade, loads, askingCost, throughput }: ScenarioOf,
  accepted: readonly number[],
  from: Scenario['from'],
): Scenario {
  const reached = cascade.map((_, tier) =>
    loads.reduce(
      (sum, load) => addLoads(sum, scaled(load.tiers[tier] ?? NO_LOAD, reach(load.start, tier, accepted))),
      NO_LOAD,
    ),
  );
  const groups = Map.groupBy([...cascade.entries()], ([, tier]) => hostsOf(tier).map(poolOf).join(' '));
  const minutes = new Map<number, number>();
  for (const group of groups.values()) {
    const sum = group.reduce((all, [index]) => addLoads(all, reached[index] ?? NO_LOAD), NO_LOAD);
    const [, first] = group[0] ?? [];
    const taken = first === undefined ? 0 : minutesOf(first, sum, throughput);
    for (const [index] of group) minutes.set(index, taken);
  }
  return {
    accepted,
    from,
    cost: Math.min(MAX_NANO_USD, Math.round(reached.reduce((sum, { cost }) => sum + cost, askingCost))),
    minutes: tenths(Math.max(0, ...minutes.values())),
    tiers: reached.map(({ documents, calls, cost }, index) => ({
      model: cascade[index]?.model.name ?? '',
      documents: Math.round(documents),
      calls: Math.round(calls),
      cost: Math.round(cost),
      minutes: tenths(minutes.get(index) ?? 0),
    })),
  };
}

function minutesOf(tier: Tier, load: TierLoad, throughput: ScenarioOf['throughput']): number {
  return tier.model.name === LOCAL_MODEL_NAME
    ? load.documents / LOCAL_DOCUMENTS_PER_MINUTE
    : hostMinutes(load, throughput(tier));
}

/** Share of the documents that begin at a tier and get to a later one. */
function reach(start: number, tier: number, accepted: readonly number[]): number {
  return accepted.slice(start, tier).reduce((share, each) => share * (1 - each), 1);
}

function scaled({ documents, calls, inputTokens, outputTokens, cost }: TierLoad, share: number): TierLoad {
  return {
    documents: documents * share,
    calls: calls * share,
    inputTokens: inputTokens * share,
    outputTokens: outputTokens * share,
    cost: cost * share,
  };
}

/** Share of what reached each tier that it has answered, in finished batches; undefined: they do not say. */
export function acceptedBefore(
  { cascade }: Pick<WorkflowSpec, 'cascade'>,
  history: WorkflowHistory | undefined,
): readonly number[] | undefined {
  const { answered = 0, byTier, starts = { 0: answered } } = history?.figures ?? {};
  if (byTier === undefined || answered === 0) return undefined;
  let reached = 0;
  return cascade.map((_, tier) => {
    reached += starts[tier] ?? 0;
    const taken = byTier[tier] ?? 0;
    const share = reached <= 0 ? 0 : Math.min(1, taken / reached);
    reached = Math.max(0, reached - taken);
    return tier === cascade.length - 1 ? 1 : share;
  });
}

function tenths(minutes: number): number {
  return Math.max(0, Math.ceil(minutes * 10 - 1e-9)) / 10;
}
