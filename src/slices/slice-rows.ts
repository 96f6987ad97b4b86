import type { ModelTotals } from '../batches/model-totals.ts';
import type { SliceEntry } from '../batches/slice-entry.ts';
import type { TierAttempt } from '../cascades/attempt-log.ts';
import type { CallWarning, JournalEntry } from '../ledger/journal-entry.ts';
import { type Latency, LatencySum } from '../measures/latency.ts';
import type { NanoUsd } from '../money/money.ts';
import { addUsage, NO_USAGE, type Usage } from '../money/usage.ts';
import type { AnswerWarning } from '../prompts/question.ts';
import type { ErrorRow, ResultRow, Row, RowRoute, RowSpending } from '../tasks/result-row.ts';
import type { DocumentResult } from '../tasks/task.ts';
import { LOCAL_MODEL_NAME } from '../workflows/workflow.ts';

/** How one document of a slice ended. `route`: where it began; absent: nothing was chosen. */
export type DocumentEnd = { readonly route?: RowRoute } & (
  | {
      readonly kind: 'answered';
      readonly answer: DocumentResult;
      readonly localMs?: number;
      /** It is the candidate's. */
      readonly isCandidate?: true;
      /** How each tier ended, where the row is to say it. */
      readonly attempts?: readonly TierAttempt[];
      /** The built-in model gave it, in place of a tier whose providers are down. Absent: no. */
      readonly standsIn?: true;
      /** The earlier batch that it was paid for in. */
      readonly answeredIn?: string;
      /** What the answer is doubted for. */
      readonly warnings?: readonly AnswerWarning[];
    }
  | {
      readonly kind: 'error';
      readonly status: ErrorRow['status'];
      readonly code: string;
      readonly message: string;
      readonly attempts?: readonly TierAttempt[];
    }
);

interface Spent {
  readonly calls: number;
  readonly usage: Usage;
  readonly cost: NanoUsd;
  readonly durationMs: number;
  readonly fallback: boolean;
  readonly warnings: readonly CallWarning[];
  readonly costByTier: ReadonlyMap<number, NanoUsd>;
  /** By tier and model, in the order of their first call. */
  readonly byModel: ReadonlyMap<string, RowSpending>;
  readonly servedBy: readonly string[];
}

const NOTHING_SPENT: Spent = {
  calls: 0,
  usage: NO_USAGE,
  cost: 0,
  durationMs: 0,
  fallback: false,
  warnings: [],
  costByTier: new Map(),
  byModel: new Map(),
  servedBy: [],
};

/**
 * The rows of a slice. Calls, tokens and money of each row are those of the journal entries made for its document, so
 * the rows of a slice and its journal always agree.
 */
export function buildRows(
  entries: readonly SliceEntry[],
  ends: readonly DocumentEnd[],
  journal: Iterable<JournalEntry>,
): readonly Row[] {
  const spent = new Map<number, Spent>();
  for (const entry of journal) spent.set(entry.document, addEntry(spent.get(entry.document) ?? NOTHING_SPENT, entry));
  return entries.map((entry, index) => buildRow(entry, ends[index], spent.get(index) ?? NOTHING_SPENT));
}

function addEntry(sum: Spent, entry: JournalEntry): Spent {
  return {
    calls: sum.calls + 1,
    usage: addUsage(sum.usage, entry.usage),
    cost: sum.cost + entry.cost,
    durationMs: sum.durationMs + entry.durationMs,
    fallback: sum.fallback || entry.fallback === true,
    warnings: entry.warnings === undefined ? sum.warnings : [...new Set([...sum.warnings, ...entry.warnings])],
    costByTier: new Map(sum.costByTier).set(entry.tier, (sum.costByTier.get(entry.tier) ?? 0) + entry.cost),
    byModel: addSpending(sum.byModel, entry),
    servedBy: entry.servedBy === undefined ? sum.servedBy : [...new Set([...sum.servedBy, entry.servedBy])],
  };
}

function addSpending(sums: Spent['byModel'], entry: JournalEntry): Spent['byModel'] {
  const { tier, model, cost, requestId } = entry;
  const key = `${tier}\0${model}`;
  const { calls, cost: before, requestIds = [] } = sums.get(key) ?? { calls: 0, cost: 0 };
  const ids = requestId === undefined ? requestIds : [...requestIds, requestId];
  const spending = {
    tier,
    model,
    calls: calls + 1,
    cost: before + cost,
    ...(ids.length === 0 ? {} : { requestIds: ids }),
  };
  return new Map(sums).set(key, spending);
}

/** Request ids stand where each tier's answer is told. */
function spendingOf({ byModel }: Spent, end: DocumentEnd): Pick<Row, 'spent'> {
  if (byModel.size === 0) return {};
  const spent = [...byModel.values()].sort((a, b) => a.tier - b.tier);
  return { spent: end.attempts === undefined ? spent.map(({ requestIds: _, ...each }) => each) : spent };
}

function buildRow(entry: SliceEntry, end: DocumentEnd | undefined, spent: Spent): Row {
  const { calls, usage, cost, durationMs } = spent;
  if (entry.kind === 'skipped') {
    const { id, code, message } = entry.skipped;
    return { id, status: 'skipped', error: { code, message }, calls, usage, cost };
  }
  const { id, metadata } = entry.document;
  if (end === undefined) throw new RangeError(`Document ${id} has no end`);
  if (end.kind === 'error') {
    const error = { code: end.code, message: end.message };
    return {
      id,
      status: end.status,
      error,
      calls,
      usage,
      cost,
      ...spendingOf(spent, end),
      ...routeOf(end),
      ...attemptsOf(end.attempts, spent),
      ...(metadata === undefined ? {} : { metadata }),
    };
  }
  const local = end.localMs === undefined ? { calls: 0, durationMs: 0 } : { calls: 1, durationMs: end.localMs };
  const warnings = [...new Set([...(entry.document.warnings ?? []), ...(end.warnings ?? []), ...spent.warnings])];
  const row: ResultRow = {
    id,
    status: 'succeeded',
    result: end.answer.result,
    model: end.answer.model,
    tier: end.answer.tier,
    calls: calls + local.calls,
    usage,
    cost,
    ...spendingOf(spent, end),
    durationMs: Math.round(durationMs + local.durationMs),
    ...(end.answer.prompt === undefined ? {} : { prompt: end.answer.prompt }),
    ...(end.answer.degraded === true ? { degraded: true } : {}),
    ...(end.isCandidate === true ? { candidate: true } : {}),
    ...(end.answeredIn === undefined ? {} : { answeredIn: end.answeredIn }),
    ...(spent.fallback || end.standsIn === true ? { fallback: true } : {}),
    ...(spent.servedBy.length === 0 ? {} : { servedBy: spent.servedBy.join(', ') }),
    ...(warnings.length === 0 ? {} : { warnings }),
    ...routeOf(end),
    ...attemptsOf(end.attempts, spent),
    ...(metadata === undefined ? {} : { metadata }),
  };
  return row;
}

function routeOf({ route }: DocumentEnd): Pick<Row, 'route'> {
  return route === undefined ? {} : { route };
}

/** With what the calls of each tier have cost. */
function attemptsOf(attempts: readonly TierAttempt[] | undefined, { costByTier }: Spent): Pick<Row, 'attempts'> {
  if (attempts === undefined) return {};
  return { attempts: attempts.map((attempt) => ({ ...attempt, cost: costByTier.get(attempt.tier) ?? 0 })) };
}

/** Calls, tokens and money by model and tier, with the documents each one answered. */
export function totalsByModel(
  rows: readonly Row[],
  journal: readonly JournalEntry[],
  localCalls: ReadonlyMap<number, number>,
): readonly ModelTotals[] {
  const totals = new Map<string, ModelTotals>();
  const add = (model: string, tier: number, part: Partial<ModelTotals>) => {
    const key = `${tier}\0${model}`;
    const sum = totals.get(key) ?? { model, tier, calls: 0, accepted: 0, usage: NO_USAGE, cost: 0 };
    totals.set(key, {
      model,
      tier,
      calls: sum.calls + (part.calls ?? 0),
      accepted: sum.accepted + (part.accepted ?? 0),
      usage: addUsage(sum.usage, part.usage ?? NO_USAGE),
      cost: sum.cost + (part.cost ?? 0),
    });
  };
  for (const [tier, calls] of localCalls) add(LOCAL_MODEL_NAME, tier, { calls });
  for (const entry of journal) add(entry.model, entry.tier, { calls: 1, usage: entry.usage, cost: entry.cost });
  for (const row of rows) if (row.status === 'succeeded') add(row.model, row.tier, { accepted: 1 });
  const latencies = latenciesOf(journal);
  return [...totals.entries()]
    .map(([key, sum]) => ({ ...sum, ...oddCalls(key, journal), ...latencies.get(key) }))
    .sort((a, b) => a.tier - b.tier || (a.model < b.model ? -1 : 1));
}

/** Calls of a tier and model that were booked as stated, or went beyond their cap; absent where there were none. */
function oddCalls(key: string, journal: readonly JournalEntry[]): Pick<ModelTotals, 'statedCalls' | 'overCapCalls'> {
  const own = journal.filter(({ tier, model }) => `${tier}\0${model}` === key);
  const statedCalls = own.filter(({ isStated }) => isStated === true).length;
  const overCapCalls = own.filter(({ warnings }) => warnings?.includes('output_over_cap') === true).length;
  return { ...(statedCalls === 0 ? {} : { statedCalls }), ...(overCapCalls === 0 ? {} : { overCapCalls }) };
}

/** By tier and model. A call that failed and was paid for has no time of its own. */
function latenciesOf(journal: readonly JournalEntry[]): ReadonlyMap<string, { readonly latency?: Latency }> {
  const sums = new Map<string, LatencySum>();
  for (const { model, tier, durationMs, firstByteMs, usage } of journal) {
    if (durationMs <= 0) continue;
    const key = `${tier}\0${model}`;
    const sum = sums.get(key) ?? new LatencySum();
    sums.set(key, sum);
    sum.add(durationMs, usage.outputTokens, firstByteMs);
  }
  return new Map(
    [...sums].map(([key, sum]) => {
      const latency = sum.total();
      return [key, latency === undefined ? {} : { latency }];
    }),
  );
}
