import { addLatency, type Latency, latencyFigures } from './latency.ts';

/** What a model's calls took in one batch. */
export interface TimedModel {
  readonly model: string;
  readonly provider?: string;
  /** Absent: none was made, or not known. */
  readonly latency?: Latency;
}

export interface SlowerModel {
  readonly model: string;
  readonly provider?: string;
  readonly p95Ms: number;
  readonly usualP95Ms: number;
  /** How many batches `usualP95Ms` is the median of. */
  readonly batches: number;
}

/** The slowest twentieth of fewer calls is a handful, and chance. */
const MIN_TIMED_CALLS = 200;
/** Fewer batches say nothing about what is usual. */
const MIN_BATCHES = 3;
const SLOWER = 1.5;
/** Of a model on the same machine a few milliseconds are no news, whatever their ratio. */
const MIN_MORE_MS = 100;

/** Whether any of them made enough calls to be judged. */
export function canBeJudged(models: readonly TimedModel[]): boolean {
  return timesByModel(models)
    .values()
    .some(({ latency }) => isJudged(latency));
}

/**
 * Models whose slowest calls (p95) took half as long again as in the batches before: as the median of their p95, which one slow
 * night does not move and which a slow drift leaves behind. All calls together would have the p95 of the slowest nights.
 *
 * @param before the models of each earlier batch
 */
export function slowerModels(
  now: readonly TimedModel[],
  before: readonly (readonly TimedModel[])[],
): readonly SlowerModel[] {
  const earlier = before.map(timesByModel);
  return [...timesByModel(now)].flatMap(([key, { latency, ...names }]): SlowerModel[] => {
    const known = earlier.flatMap((batch) => batch.get(key)?.latency ?? []).filter(isJudged);
    if (!isJudged(latency) || known.length < MIN_BATCHES) return [];
    const p95Ms = p95Of(latency);
    const usualP95Ms = median(known.map(p95Of));
    if (p95Ms < usualP95Ms * SLOWER || p95Ms - usualP95Ms < MIN_MORE_MS) return [];
    return [{ ...names, p95Ms, usualP95Ms, batches: known.length }];
  });
}

/** A model may be at several tiers. */
function timesByModel(models: readonly TimedModel[]): ReadonlyMap<string, TimedModel & { readonly latency: Latency }> {
  const times = new Map<string, TimedModel & { readonly latency: Latency }>();
  for (const { model, provider, latency } of models) {
    const key = `${provider ?? ''}\0${model}`;
    const sum = addLatency(times.get(key)?.latency, latency);
    if (sum !== undefined) times.set(key, { model, ...(provider === undefined ? {} : { provider }), latency: sum });
  }
  return times;
}

function isJudged({ calls }: Latency): boolean {
  return calls >= MIN_TIMED_CALLS;
}

function p95Of(latency: Latency): number {
  return latencyFigures(latency).p95Ms;
}

/** The upper one of two. */
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
