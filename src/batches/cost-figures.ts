import type { NanoUsd } from '../money/money.ts';
import { LOCAL_MODEL_NAME } from '../workflows/workflow.ts';
import { ModelSums, type ModelTotals } from './model-totals.ts';
import type { SliceCommit } from './slice-commit.ts';

/** What makes documents cost what they do, apart from how many and how long they are. Sums, so that batches add up. */
export interface CostFigures {
  /** With an answer. */
  readonly answered: number;
  /** Of these, by the first tier. */
  readonly byFirstTier: number;
  /** Of these, by each tier's index. Absent in figures of earlier versions. */
  readonly byTier?: Readonly<Record<string, number>>;
  /** Documents by the index of the tier that they began at. Absent: the workflow has no route. */
  readonly starts?: Readonly<Record<string, number>>;
  /** Of models that cost something. */
  readonly calls: number;
  /** Calls that failed and were made again, and replies that were turned down for their form or content. */
  readonly retries: number;
  /** By model: tokens of calls, input and output together, and their price. */
  readonly models: Readonly<Record<string, { readonly tokens: number; readonly cost: NanoUsd }>>;
}

/** Replies that were good and not sure enough: the next tier was asked, which is acceptance and no retry. */
export const ESCALATIONS: ReadonlySet<string> = new Set(['low_confidence']);

interface FiguresOf {
  readonly models: readonly ModelTotals[];
  /** Counts by code. */
  readonly rejections: Readonly<Record<string, number>>;
  readonly retries: Readonly<Record<string, number>>;
  /** As a commit has it. Absent: none. */
  readonly evidence?: Readonly<Record<string, number>>;
}

export function costFigures({ models, rejections, retries, evidence = {} }: FiguresOf): CostFigures {
  const byModel: Record<string, { tokens: number; cost: number }> = {};
  const byTier: Record<string, number> = {};
  let [answered, byFirstTier, calls] = [0, 0, 0];
  for (const { model, tier, accepted, usage, cost, ...totals } of models) {
    answered += accepted;
    if (tier === 0) byFirstTier += accepted;
    if (accepted > 0) byTier[tier] = (byTier[tier] ?? 0) + accepted;
    if (model === LOCAL_MODEL_NAME) continue;
    calls += totals.calls;
    const known = byModel[model] ?? { tokens: 0, cost: 0 };
    byModel[model] = { tokens: known.tokens + usage.inputTokens + usage.outputTokens, cost: known.cost + cost };
  }
  const turnedDown = Object.entries(rejections).filter(([code]) => !ESCALATIONS.has(code));
  const starts = startsOf(evidence);
  return {
    ...{ answered, byFirstTier, byTier, calls, models: byModel },
    retries: sum(turnedDown) + sum(Object.entries(retries)),
    ...(Object.keys(starts).length === 0 ? {} : { starts }),
  };
}

/** The name under which a commit's evidence counts the documents that began at a tier. */
export const STARTED = 'startedAtTier';

/** Documents by the index of the tier that they began at, from what a commit counts. */
export function startsOf(evidence: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  const found = Object.entries(evidence).filter(([name]) => name.startsWith(STARTED));
  return Object.fromEntries(found.map(([name, count]) => [name.slice(STARTED.length), count]));
}

/** The figures of a batch under way, from the slices that are done; undefined: nothing is answered yet. */
export async function figuresSoFar(commits: AsyncIterable<SliceCommit | undefined>): Promise<CostFigures | undefined> {
  const models = new ModelSums();
  const counts = { rejections: {} as Record<string, number>, retries: {} as Record<string, number> };
  for await (const commit of commits) {
    if (commit === undefined) continue;
    models.add(commit.models);
    for (const [code, count] of Object.entries(commit.rejections)) {
      counts.rejections[code] = (counts.rejections[code] ?? 0) + count;
    }
    for (const [kind, count] of Object.entries(commit.retries ?? {})) {
      counts.retries[kind] = (counts.retries[kind] ?? 0) + count;
    }
  }
  const figures = costFigures({ models: models.total(), ...counts });
  return figures.answered === 0 ? undefined : figures;
}

/** Per cent of the answers that the first tier gave. */
export function acceptance({ answered, byFirstTier }: CostFigures): number | undefined {
  return answered === 0 ? undefined : (byFirstTier * 100) / answered;
}

/** Retries of a hundred calls. */
export function retryRate({ calls, retries }: CostFigures): number | undefined {
  return calls === 0 ? undefined : (retries * 100) / calls;
}

/**
 * Dollars of a million tokens at the models' shares of the usual tokens, so that another mix of models alone changes nothing.
 *
 * @param usual its own price where `of` is itself
 */
export function priceOf(of: CostFigures, usual: CostFigures): number | undefined {
  let [tokens, cost] = [0, 0];
  for (const [model, known] of Object.entries(usual.models)) {
    const own = of.models[model];
    const rate = own === undefined || own.tokens === 0 ? known : own;
    if (known.tokens === 0) continue;
    tokens += known.tokens;
    cost += (rate.cost / rate.tokens) * known.tokens;
  }
  return tokens === 0 ? undefined : cost / tokens / 1_000;
}

function sum(counts: readonly (readonly [string, number])[]): number {
  return counts.reduce((all, [, count]) => all + count, 0);
}
