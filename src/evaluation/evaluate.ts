import type { Answered, Calibration, DocumentScores, Evaluation, Golden } from './evaluation.ts';
import { fieldScores } from './field-scores.ts';
import { type RougeScores, rouge } from './rouge.ts';

export interface EvaluationOf extends Pick<Evaluation, 'run' | 'workflow' | 'evaluatedAt' | 'hashes'> {
  readonly sentences: (text: string) => readonly string[];
}

/** Bins of a calibration curve, of equal size. */
const BINS = 10;
const NO_ANSWER = '(none)';

/** Scores every document of a golden set; one without a row counts as failed. Pure. */
export function evaluate(
  golden: readonly Golden[],
  answers: ReadonlyMap<string, Answered>,
  of: EvaluationOf,
): Evaluation {
  const items = golden.map((wanted) => scoreDocument(wanted, answers.get(wanted.id), of.sentences));
  const { sentences: _, ...identity } = of;
  const labelled = items.filter(({ scores }) => scores['accuracy'] !== undefined);
  const durations = items.flatMap(({ durationMs }) => durationMs ?? []).sort((a, b) => a - b);
  const calibration = calibrationOf(labelled);
  return {
    ...identity,
    documents: items.length,
    metrics: {
      ...meansOf(items),
      ...(labelled.length === 0 ? {} : { macroF1: macroF1(labelled) }),
      validity: mean(items.map(({ valid }) => valid)),
      refusals: mean(items.map(({ error }) => Number(error === 'refused' || error === 'refused_content'))),
    },
    ...(labelled.length === 0 ? {} : { confusion: confusionOf(labelled) }),
    ...(calibration === undefined ? {} : { calibration }),
    costUsd: items.reduce((sum, { costUsd }) => sum + costUsd, 0),
    latencyMs: durations.length === 0 ? null : { median: quantile(durations, 0.5), p95: quantile(durations, 0.95) },
    items,
  };
}

function scoreDocument(
  wanted: Golden,
  answer: Answered | undefined,
  sentences: (text: string) => readonly string[],
): DocumentScores {
  const isAnswered = answer?.status === 'succeeded';
  const expected = wanted.label ?? wanted.summary;
  const got = answer?.label ?? answer?.summary;
  const error = answer === undefined ? 'no_row' : isAnswered ? undefined : (answer.errorCode ?? answer.status);
  return {
    id: wanted.id,
    valid: isAnswered ? 1 : 0,
    scores: {
      ...(wanted.label === undefined ? {} : { accuracy: Number(isAnswered && answer.label === wanted.label) }),
      ...summaryScores(wanted, isAnswered ? (answer.summary ?? '') : '', sentences),
      ...(wanted.fields === undefined ? {} : fieldScores(wanted.fields, isAnswered ? answer.fields : undefined)),
    },
    ...(expected === undefined ? {} : { expected }),
    ...(isAnswered && got !== undefined ? { got } : {}),
    ...(isAnswered && answer.confidence !== undefined ? { confidence: answer.confidence } : {}),
    ...(error === undefined ? {} : { error }),
    costUsd: answer?.costUsd ?? 0,
    ...(answer?.durationMs === undefined ? {} : { durationMs: answer.durationMs }),
  };
}

function summaryScores(
  { summary, mustHave, mustNotHave }: Golden,
  got: string,
  sentences: (text: string) => readonly string[],
): Readonly<Record<string, number>> {
  const lower = got.toLowerCase();
  const has = (text: string) => lower.includes(text.toLowerCase());
  const scores: Partial<RougeScores> = summary === undefined ? {} : rouge(got, summary, sentences);
  return {
    ...scores,
    ...(summary === undefined ? {} : { lengthRatio: wordsIn(got) / Math.max(1, wordsIn(summary)) }),
    ...(mustHave === undefined ? {} : { coverage: mean(mustHave.map((text) => Number(has(text)))) }),
    ...(mustNotHave === undefined ? {} : { clean: Number(got !== '' && !mustNotHave.some(has)) }),
  };
}

function wordsIn(text: string): number {
  return text.split(/\s+/).filter((word) => word !== '').length;
}

function meansOf(items: readonly DocumentScores[]): Readonly<Record<string, number>> {
  const names = new Set(items.flatMap(({ scores }) => Object.keys(scores)));
  return Object.fromEntries(
    [...names].map((name) => [name, mean(items.flatMap(({ scores }) => scores[name] ?? []))] as const),
  );
}

function confusionOf(items: readonly DocumentScores[]): Readonly<Record<string, Readonly<Record<string, number>>>> {
  const table: Record<string, Record<string, number>> = {};
  for (const { expected = NO_ANSWER, got = NO_ANSWER } of items) {
    table[expected] ??= {};
    const row = table[expected];
    row[got] = (row[got] ?? 0) + 1;
  }
  return table;
}

/** Mean of the F1 of every label that was expected or given. */
export function macroF1(items: readonly Pick<DocumentScores, 'expected' | 'got'>[]): number {
  const labels = new Set(items.flatMap(({ expected, got }) => [expected, got].filter((label) => label !== undefined)));
  return mean(
    [...labels].map((label) => {
      const right = items.filter(({ expected, got }) => expected === label && got === label).length;
      const wrong = items.filter(({ expected, got }) => (expected === label) !== (got === label)).length;
      return (2 * right) / Math.max(1, 2 * right + wrong);
    }),
  );
}

/** Undefined where no answer has a confidence. Ties keep the order of the set, so bins differ by one at most. */
export function calibrationOf(items: readonly DocumentScores[]): Calibration | undefined {
  const known = items
    .flatMap(({ confidence, scores }) =>
      confidence === undefined ? [] : [{ confidence, right: scores['accuracy'] ?? 0 }],
    )
    .sort((a, b) => a.confidence - b.confidence);
  if (known.length === 0) return undefined;
  const count = Math.min(BINS, known.length);
  const bins = Array.from({ length: count }, (_, bin) => {
    const inside = known.slice(
      Math.round((bin * known.length) / count),
      Math.round(((bin + 1) * known.length) / count),
    );
    return {
      count: inside.length,
      confidence: mean(inside.map(({ confidence }) => confidence)),
      right: mean(inside.map(({ right }) => right)),
    };
  });
  const weighted = bins.reduce((sum, bin) => sum + bin.count * Math.abs(bin.confidence - bin.right), 0);
  return {
    brier: mean(known.map(({ confidence, right }) => (confidence - right) ** 2)),
    error: weighted / known.length,
    bins,
  };
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

/** 0 of no values. */
export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
