import { type Calibration, type Fallback, type PromiseWanted, separation } from './calibration.ts';
import { type ErrorCurve, fitErrorCurve } from './error-curve.ts';
import { seededRandom, shuffledIndices } from './random.ts';
import { labelsWithoutError, upperRate } from './tails.ts';

/** What the first tier has said of one document, and how much is known of it. */
export interface ObservedAnswer {
  readonly label: string;
  /** Undefined: unknown, never accepted. */
  readonly confidence: number | undefined;
  /**
   * `labelled`: the right answer is known of every such document (it was passed on, or it is of a golden set); `audited`: it was
   * accepted and chosen at random for the last tier too; `accepted`: nothing else is known.
   */
  readonly seen: 'labelled' | 'audited' | 'accepted';
  /** Where it is known. */
  readonly isError?: boolean;
}

export interface ObservedOptions extends PromiseWanted {
  readonly seed: number;
  /** Share of the accepted answers that was audited, 0 to 1; 0 where nothing was. */
  readonly auditShare: number;
  readonly cheap: { readonly model: string; readonly cost: number };
  readonly strong: { readonly model: string; readonly cost: number };
}

const LEARNING_SHARE = 0.4;
/** Sets of accepted answers that are tested, at most. */
const CHAIN = 100;
/** Of delta, what bounds errors that are all known; the rest is for those of which a share is audited. */
const KNOWN_SHARE = 0.1;

/**
 * Finds thresholds of the first tier, one for each label, from what is known of earlier documents, for documents like them: at
 * least `target` of the answers agree with the last tier. Documents that were passed on have both answers; of accepted ones an
 * audited share has, and each of those stands for `1 / auditShare` of them.
 *
 * Two fifths of the documents say in which order answers are accepted; the others test growing sets of them with exact bounds,
 * until one is not certified.
 */
export function calibrateObserved(answers: readonly ObservedAnswer[], options: ObservedOptions): Calibration {
  const order = shuffledIndices(answers.length, seededRandom(options.seed));
  const learned = order.slice(0, Math.round(order.length * LEARNING_SHARE)).map((at) => answers[at] as ObservedAnswer);
  const tested = order.slice(learned.length).map((at) => answers[at] as ObservedAnswer);
  const riskOf = riskByLabel(learned);
  const risks = tested.flatMap((answer) => riskOf(answer) ?? []).sort((a, b) => a - b);
  const limits = [...new Set(thin(risks, CHAIN))];
  let taken: number | undefined;
  for (const limit of limits) {
    const inside = tested.filter((answer) => (riskOf(answer) ?? Number.POSITIVE_INFINITY) <= limit);
    if (errorBound(inside, tested.length, options) > 1 - options.target) break;
    taken = limit;
  }
  return describe(answers, options, taken, riskOf);
}

type RiskOf = (answer: ObservedAnswer) => number | undefined;

/** Undefined where an answer is never accepted: its confidence is unknown, or nothing is known of its label. */
function riskByLabel(learned: readonly ObservedAnswer[]): RiskOf {
  const known = learned.filter(({ seen, confidence }) => seen !== 'accepted' && isConfidence(confidence));
  const curves = new Map<string, ErrorCurve>();
  for (const label of new Set(known.map((answer) => answer.label))) {
    const own = known.filter((answer) => answer.label === label);
    const errors = own.map(({ isError }) => isError === true);
    curves.set(
      label,
      fitErrorCurve(
        own.map(({ confidence }) => confidence ?? 0),
        errors,
      ),
    );
  }
  return ({ label, confidence }) => (isConfidence(confidence) ? curves.get(label)?.riskAt(confidence) : undefined);
}

function isConfidence(value: number | undefined): value is number {
  return value !== undefined && value >= 0 && value <= 1;
}

/** Upper bound of the share of all documents that are accepted and wrong; 1 where nothing is known of some of them. */
export function errorBound(
  inside: readonly ObservedAnswer[],
  documents: number,
  { delta, auditShare }: Pick<ObservedOptions, 'delta' | 'auditShare'>,
): number {
  const count = (seen: ObservedAnswer['seen']) =>
    inside.filter((answer) => answer.seen === seen && answer.isError).length;
  const isSampled = inside.some(({ seen }) => seen !== 'labelled');
  if (!isSampled) return upperRate(documents, count('labelled'), delta);
  if (auditShare === 0) return 1;
  return (
    upperRate(documents, count('audited'), delta * (1 - KNOWN_SHARE)) / auditShare +
    upperRate(documents, count('labelled'), delta * KNOWN_SHARE)
  );
}

function thin(sorted: readonly number[], most: number): readonly number[] {
  if (sorted.length <= most) return sorted;
  return Array.from(
    { length: most },
    (_, step) => sorted[Math.ceil(((step + 1) * sorted.length) / most) - 1] as number,
  );
}

function describe(
  answers: readonly ObservedAnswer[],
  options: ObservedOptions,
  taken: number | undefined,
  riskOf: RiskOf,
): Calibration {
  const { target, delta, cheap, strong } = options;
  const accepted = taken === undefined ? [] : answers.filter((answer) => (riskOf(answer) ?? 2) <= taken);
  const labelsUsed = answers.filter(({ seen }) => seen !== 'accepted').length;
  const share = accepted.length / Math.max(1, answers.length);
  const saves = share * strong.cost > cheap.cost;
  const base = { target, delta, metric: 'agreement' as const, labelsUsed };
  if (accepted.length === 0 || !saves) {
    return {
      ...base,
      tiers: [{ model: strong.model, share: 1 }],
      certified: { bound: 1, method: 'the strongest model answers everything' },
      expectedCostUsd: strong.cost,
      costShareOfStrongest: 1,
      oracleShare: 1,
      fallback: refusal(answers, options, labelsUsed, accepted.length),
    };
  }
  const thresholds: Record<string, number> = {};
  for (const { label, confidence = 1 } of accepted) thresholds[label] = Math.min(thresholds[label] ?? 1, confidence);
  const cost = cheap.cost + (1 - share) * strong.cost;
  return {
    ...base,
    tiers: [
      { model: cheap.model, thresholds, share },
      { model: strong.model, share: 1 - share },
    ],
    certified: { bound: target, method: 'fixed sequence of Clopper-Pearson bounds' },
    expectedCostUsd: cost,
    costShareOfStrongest: strong.cost === 0 ? 1 : cost / strong.cost,
    oracleShare: 1 - share,
    fallback: null,
  };
}

function refusal(
  answers: readonly ObservedAnswer[],
  { target, delta, cheap, auditShare }: ObservedOptions,
  labels: number,
  accepted: number,
): Fallback {
  if (accepted > 0) {
    const reason = `the ${accepted} of ${answers.length} documents that ${cheap.model} may answer save less than asking it costs`;
    return { reason, labelsNeeded: null };
  }
  const least = Math.ceil(labelsWithoutError(target, delta) / (1 - LEARNING_SHARE));
  if (labels < least) {
    const reason = `${labels} labelled documents are too few to promise ${target}: with no error at all it takes ${least}`;
    return { reason, labelsNeeded: least };
  }
  const known = answers.filter(({ seen, confidence }) => seen !== 'accepted' && isConfidence(confidence));
  if (known.length === 0) return { reason: `${cheap.model} states no confidence that can be used`, labelsNeeded: null };
  if (auditShare === 0 && answers.some(({ seen }) => seen === 'accepted')) {
    const reason = `of what ${cheap.model} answers alone nothing was audited: set audit: 0.03 in the workflow`;
    return { reason, labelsNeeded: null };
  }
  const wrong = known.map(({ isError }) => isError === true);
  const sorted = separation(
    known.map(({ confidence }) => confidence ?? 0),
    wrong,
  );
  const share = ((wrong.filter(Boolean).length / wrong.length) * 100).toFixed(0);
  const tells = sorted === undefined ? '' : `, and confidence tells them apart with an AUROC of ${sorted.toFixed(2)}`;
  return {
    reason: `no set of answers of ${cheap.model} could be certified: ${share} % of ${known.length} are wrong${tells}`,
    labelsNeeded: sorted !== undefined && sorted <= 0.5 ? null : 2 * labels,
  };
}
