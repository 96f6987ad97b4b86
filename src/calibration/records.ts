/** Recorded answers: what several models have said of the same items. */
export interface Records {
  /** In the order of the first item. */
  readonly models: readonly string[];
  /** By item, then by model. */
  readonly answers: readonly (readonly RecordedAnswer[])[];
}

export interface RecordedAnswer {
  readonly prediction: string | undefined;
  readonly correct: boolean;
  /** Undefined: not recorded, or no number. Of a logarithm where one is recorded: it keeps apart what rounds to 1. */
  readonly confidence: number | undefined;
  /** Dollars; undefined: not recorded. */
  readonly cost: number | undefined;
}

export type RecordsReading =
  | { readonly kind: 'read'; readonly records: Records }
  | { readonly kind: 'bad'; readonly line: number; readonly problem: string };

/** Reads lines such as `{"id": 1, "models": {"small": {"prediction": "a", "correct": true, "confidence": 0.9, "cost_usd": 0.001}}}`. */
export function readRecords(text: string): RecordsReading {
  let models: readonly string[] | undefined;
  const answers: RecordedAnswer[][] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const bad = (problem: string): RecordsReading => ({ kind: 'bad', line: index + 1, problem });
    const found = modelsOf(line);
    if (found === undefined) return bad('is no JSON object with "models"');
    models ??= Object.keys(found);
    const row: RecordedAnswer[] = [];
    for (const name of models) {
      const answer = answerOf(found[name]);
      if (answer === undefined) return bad(`has no answer of ${JSON.stringify(name)} with "correct": true or false`);
      row.push(answer);
    }
    answers.push(row);
  }
  if (models === undefined || models.length < 2)
    return { kind: 'bad', line: 1, problem: 'must have the answers of two models or more' };
  return { kind: 'read', records: { models, answers } };
}

function modelsOf(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const models = isObject(value) ? value.models : undefined;
    return isObject(models) ? models : undefined;
  } catch {
    return undefined;
  }
}

function answerOf(value: unknown): RecordedAnswer | undefined {
  if (!isObject(value) || typeof value.correct !== 'boolean') return undefined;
  const { prediction, correct, confidence, logprob, cost_usd: cost } = value;
  return {
    prediction: prediction === null || prediction === undefined ? undefined : String(prediction),
    correct,
    confidence: finite(confidence) === undefined ? undefined : (chance(finite(logprob)) ?? finite(confidence)),
    cost: finite(cost),
  };
}

function chance(logarithm: number | undefined): number | undefined {
  return logarithm === undefined || logarithm > 0 ? undefined : Math.exp(logarithm);
}

function finite(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Mean dollars of an answer of each model; without recorded costs the strongest (the last one) costs 4.9 times the others. */
export function meanCosts({ models, answers }: Records): readonly number[] {
  return models.map((_, model) => {
    const costs = answers.map((row) => row[model]?.cost);
    if (costs.some((cost) => cost === undefined)) return model === models.length - 1 ? ASSUMED_RATIO : 1;
    return costs.reduce<number>((sum, cost) => sum + (cost ?? 0), 0) / Math.max(1, costs.length);
  });
}

/** A 70 B model against an 8 B one by list prices. */
const ASSUMED_RATIO = 4.9;
