import { ModelSums, type ModelTotals } from '../batches/model-totals.ts';
import type { Manifest } from '../finalize/manifest.ts';
import { addLatency, type Latency, latencyFigures } from '../measures/latency.ts';
import type { NanoUsd } from '../money/money.ts';

/** What some batches have done together. */
export interface Sums {
  readonly batches: number;
  /** Documents that were asked about: those that were skipped, cancelled or expired left out. */
  readonly documents: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Uncertain calls included. */
  readonly cost: NanoUsd;
  readonly uncertain: NanoUsd;
  /** What the strongest model alone would have cost more; absent: not known of any batch. */
  readonly savedByCascade?: NanoUsd;
  /** What equal documents and the answer cache have saved, and how often. */
  readonly savedByReuse: NanoUsd;
  /** Documents that took the answer of an equal one, of the same batch or an earlier one. */
  readonly duplicates: number;
  readonly cachedCalls: number;
  readonly models: readonly ModelTotals[];
}

export function sumOf(manifests: readonly Manifest[]): Sums {
  const sum = (of: (manifest: Manifest) => number) => manifests.reduce((total, each) => total + of(each), 0);
  const compared = manifests.filter(({ strongest }) => strongest !== undefined);
  const models = manifests.reduce((sums, { models: more }) => sums.add(more), new ModelSums()).total();
  return {
    batches: manifests.length,
    documents: sum(askedDocuments),
    succeeded: sum(({ documents }) => documents.succeeded),
    failed: sum(({ documents }) => documents.failed),
    calls: models.reduce((total, { calls }) => total + calls, 0),
    inputTokens: sum(({ usage }) => usage.inputTokens),
    outputTokens: sum(({ usage }) => usage.outputTokens),
    cost: sum(costOf),
    uncertain: sum(({ uncertainCost }) => uncertainCost),
    ...(compared.length === 0
      ? {}
      : { savedByCascade: compared.reduce((total, each) => total + (each.strongest?.cost ?? 0) - costOf(each), 0) }),
    savedByReuse: sum(({ reused }) => reused.saved),
    duplicates: sum(({ reused }) => reused.duplicates + reused.earlier),
    cachedCalls: sum(({ reused }) => reused.cached),
    models,
  };
}

export function askedDocuments({ documents }: Manifest): number {
  return documents.succeeded + documents.failed;
}

export function costOf({ cost, uncertainCost }: Manifest): NanoUsd {
  return cost + uncertainCost;
}

/** Figures that are the same for a small night and a large one; absent: not known. */
export interface Rates {
  readonly costPerDocument?: NanoUsd;
  readonly tokensPerDocument?: number;
  readonly failedShare?: number;
  /** Share of documents that the first tier answered. */
  readonly firstTierShare?: number;
  readonly p95Ms?: number;
  /** Until the first byte of the response's headers. */
  readonly firstByteP95Ms?: number;
}

export function ratesOf({ documents, cost, inputTokens, outputTokens, failed, models }: Sums): Rates {
  const latency = models.reduce<Latency | undefined>((sum, model) => addLatency(sum, model.latency), undefined);
  const times = latency === undefined ? {} : timesOf(latency);
  if (documents === 0) return times;
  const first = models.filter(({ tier }) => tier === 0);
  return {
    costPerDocument: cost / documents,
    tokensPerDocument: (inputTokens + outputTokens) / documents,
    failedShare: failed / documents,
    firstTierShare: first.reduce((sum, { accepted }) => sum + accepted, 0) / documents,
    ...times,
  };
}

function timesOf(latency: Latency): Pick<Rates, 'p95Ms' | 'firstByteP95Ms'> {
  const { p95Ms, firstByte } = latencyFigures(latency);
  return { p95Ms, ...(firstByte === undefined ? {} : { firstByteP95Ms: firstByte.p95Ms }) };
}
