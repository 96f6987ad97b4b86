import type { BatchRecord, BatchRegistry } from '../batches/batch-registry.ts';
import { ModelSums, type ModelTotals } from '../batches/model-totals.ts';
import { addServedModels, type ServedModel, type SliceCommit } from '../batches/slice-commit.ts';
import type { NanoUsd } from '../money/money.ts';
import { lostCommit } from './lost-commit.ts';
import type { Manifest } from './manifest.ts';

/** Where a document is, and what it has cost. */
export interface DearDocument {
  readonly slice: number;
  readonly position: number;
  readonly cost: NanoUsd;
}

/** What the slices of a batch add up to. */
export interface CommitSums {
  readonly models: readonly ModelTotals[];
  readonly rejections: Manifest['rejections'];
  readonly redactions: Manifest['redactions'];
  readonly reused: Manifest['reused'];
  readonly labels: Readonly<Record<string, number>>;
  readonly callRetries: Readonly<Record<string, number>>;
  readonly evidence: Readonly<Record<string, number>>;
  readonly served: readonly ServedModel[];
  /** The ten dearest, the dearest first. */
  readonly dearest: readonly DearDocument[];
  readonly rowsCost: NanoUsd;
}

/** How many of the dearest documents a manifest names. */
export const DEAREST = 10;

/** @throws {NightmillError} retryable: a commit is missing, because another process ends the batch */
export async function sumCommits(batches: BatchRegistry, batch: BatchRecord): Promise<CommitSums> {
  const models = new ModelSums();
  let served: readonly ServedModel[] = [];
  let dearest: readonly DearDocument[] = [];
  const rejections: Record<string, { count: number; cost: number }> = {};
  const redactions: Record<string, number> = {};
  const labels: Record<string, number> = {};
  const callRetries: Record<string, number> = {};
  const evidence: Record<string, number> = {};
  const reused = { duplicates: 0, cached: 0, earlier: 0, saved: 0 };
  let rowsCost = 0;
  let slice = 0;
  for await (const commit of batches.commits(batch.batchId, batch.slices)) {
    if (commit === undefined) throw lostCommit(batch);
    models.add(commit.models);
    if (commit.served !== undefined) served = addServedModels(served, commit.served);
    dearest = addDearest(dearest, commit, slice);
    reused.duplicates += commit.reused.duplicates;
    reused.cached += commit.reused.cached;
    reused.earlier += commit.reused.earlier ?? 0;
    reused.saved += commit.reused.saved;
    for (const [code, count] of Object.entries(commit.rejections)) {
      const sum = rejections[code] ?? { count: 0, cost: 0 };
      rejections[code] = { count: sum.count + count, cost: sum.cost + (commit.rejectionCosts?.[code] ?? 0) };
    }
    addCounts(redactions, commit.redactions);
    addCounts(labels, commit.labels);
    addCounts(callRetries, commit.retries);
    addCounts(evidence, commit.evidence);
    rowsCost += commit.cost;
    slice += 1;
  }
  const sums = { rejections, redactions, reused, labels, callRetries, evidence, served, dearest, rowsCost };
  return { models: models.total(), ...sums };
}

function addCounts(sums: Record<string, number>, more: Readonly<Record<string, number>> = {}): void {
  for (const [name, count] of Object.entries(more)) sums[name] = (sums[name] ?? 0) + count;
}

function addDearest(
  sum: readonly DearDocument[],
  { dearest = [] }: SliceCommit,
  slice: number,
): readonly DearDocument[] {
  return [...sum, ...dearest.map(([position, cost]) => ({ slice, position, cost }))]
    .sort((a, b) => b.cost - a.cost)
    .slice(0, DEAREST);
}
