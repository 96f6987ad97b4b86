import { DAY_MS } from '../runtime/durations.ts';

/** What a workflow must have shown before it spends. */
export interface GateRules {
  /** The golden set, as the config names it. */
  readonly golden: string;
  /** Of its text. */
  readonly goldenSha256: string;
  /** How far a metric may be under its best evaluation of this set, 0 to 1. */
  readonly maxDrop: number;
  /** Absent: an evaluation does not grow too old. */
  readonly maxAgeDays?: number;
}

/** What decides an answer and its price, each as a hash. */
export type AnswerIdentity = Readonly<Record<'prompt' | 'models' | 'prices' | 'thresholds', string>>;

/** One evaluation as a gate remembers it. */
export interface EvaluatedRun {
  readonly run: string;
  /** When the models had answered, ISO 8601: scoring old answers again makes them no younger. */
  readonly answeredAt: string;
  readonly goldenSha256: string;
  readonly identity: AnswerIdentity;
  readonly metrics: Readonly<Record<string, number>>;
}

export type GateDecision =
  | { readonly isOpen: true; readonly run: EvaluatedRun; readonly ageDays: number }
  | {
      readonly isOpen: false;
      /** A sentence without its full stop. */
      readonly why: string;
      /** `anew`: the answers themselves are too old. `better`: an evaluation alone does not help. */
      readonly cure: 'evaluate' | 'anew' | 'better';
      /** The run that was better. */
      readonly better?: string;
    };

/** Metrics of quality; the others follow from them, or high and low are neither good nor bad. */
const METRICS = ['accuracy', 'rougeL', 'coverage', 'clean', 'fieldPrecision', 'fieldRecall'];
const NAMES: Readonly<Record<keyof AnswerIdentity, string>> = {
  prompt: 'prompt',
  models: 'models',
  prices: 'prices',
  thresholds: 'thresholds',
};
/** Sums of floats. */
const ROUNDING = 1e-9;

/**
 * Whether a workflow may spend: its latest evaluation with this golden set was made with what it has now, is not too old and not
 * much worse than the best one. Pure.
 *
 * @param runs of this workflow, in any order
 * @param now milliseconds since the epoch
 */
export function decideGate(
  rules: GateRules,
  identity: AnswerIdentity,
  runs: readonly EvaluatedRun[],
  now: number,
): GateDecision {
  const sorted = runs.toSorted((a, b) => Date.parse(a.answeredAt) - Date.parse(b.answeredAt));
  const own = sorted.filter(({ goldenSha256 }) => goldenSha256 === rules.goldenSha256);
  const known = own.at(-1) ?? sorted.at(-1);
  if (known === undefined) return closed(`it was never evaluated with ${rules.golden}`);
  if (own.length === 0) return closed(`${rules.golden} has changed since evaluation ${nameOf(known)}`);
  const latest = own.findLast((run) => changesOf(identity, run).length === 0);
  if (latest === undefined) {
    const changes = changesOf(identity, known);
    return closed(
      `its ${changes.join(' and ')} ${changes.length === 1 && changes[0] === NAMES.prompt ? 'has' : 'have'} changed since evaluation ${nameOf(known)}`,
    );
  }
  const ageDays = Math.max(0, (now - Date.parse(latest.answeredAt)) / DAY_MS);
  if (rules.maxAgeDays !== undefined && ageDays > rules.maxAgeDays) {
    const days = Math.floor(ageDays);
    return {
      isOpen: false,
      why: `evaluation ${nameOf(latest)} is ${days} days old, and gate.maxAgeDays is ${rules.maxAgeDays}`,
      cure: 'anew',
    };
  }
  return findDrop(rules, latest, own) ?? { isOpen: true, run: latest, ageDays };
}

function closed(why: string): GateDecision {
  return { isOpen: false, why, cure: 'evaluate' };
}

function findDrop(
  { maxDrop }: GateRules,
  latest: EvaluatedRun,
  own: readonly EvaluatedRun[],
): GateDecision | undefined {
  for (const metric of METRICS) {
    const best = own.reduce((a, b) => ((b.metrics[metric] ?? -1) > (a.metrics[metric] ?? -1) ? b : a), latest);
    const [was, is] = [best.metrics[metric], latest.metrics[metric]];
    if (was === undefined || (is !== undefined && was - is <= maxDrop + ROUNDING)) continue;
    const figure = is === undefined ? 'missing' : is.toFixed(4);
    return {
      isOpen: false,
      why: `its ${metric} is ${figure} in evaluation ${nameOf(latest)} and was ${was.toFixed(4)} in ${nameOf(best)}, more than gate.maxDrop ${maxDrop} above`,
      cure: 'better',
      better: best.run,
    };
  }
  return undefined;
}

function changesOf(identity: AnswerIdentity, run: EvaluatedRun): readonly string[] {
  return (Object.keys(NAMES) as (keyof AnswerIdentity)[]).flatMap((part) =>
    identity[part] === run.identity[part] ? [] : [NAMES[part]],
  );
}

function nameOf({ run, answeredAt }: EvaluatedRun): string {
  return `${run} of ${answeredAt.slice(0, 10)}`;
}
