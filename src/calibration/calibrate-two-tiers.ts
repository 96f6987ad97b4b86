import { type CalibratedTier, type Calibration, type Fallback, type PromiseWanted, separation } from './calibration.ts';
import { type ErrorCurve, fitErrorCurve } from './error-curve.ts';
import { type CheapAnswer, compareText, confidenceOf, labelOf, pilotSample } from './pilot-sample.ts';
import { certifiesFewErrors } from './promise.ts';
import { seededRandom, shuffledIndices } from './random.ts';
import { labelsWithoutError } from './tails.ts';

export interface TwoTierOptions extends PromiseWanted {
  readonly seed: number;
  /** Most labels to ask for; default: as many as pay back. */
  readonly labels?: number;
  readonly cheap: { readonly model: string; readonly cost: number };
  readonly strong: { readonly model: string; readonly cost: number };
  /** For these items, whether the strong model (or a person) says otherwise than the cheap tier. Each is asked for once. */
  readonly ask: (items: readonly number[]) => Promise<readonly boolean[]>;
}

export interface TwoTierCalibration {
  readonly calibration: Calibration;
  /** Items that the cheap tier answers. */
  readonly accepted: readonly number[];
  /** Items asked for, in the order of asking. */
  readonly labelled: readonly number[];
}

/** Items of one label with the same confidence, at most so many as `MAX_SHARE_AT_ONCE` says, or all of a label whose confidence tells nothing. */
interface Block {
  readonly label: string;
  readonly confidence: number;
  readonly items: readonly number[];
  /** Estimated share of errors. */
  readonly risk: number;
}

/** Of all items, those that one test adds to the accepted ones. */
const MAX_SHARE_AT_ONCE = 1 / 500;
/** Labels that show where to look. More of them are not worth their cost. */
const PILOT = 200;
/** One-sided, at a delta of 0.1; it only decides how many labels are worth asking for. */
const TYPICAL_DEVIATION = 1.28;

/**
 * Finds thresholds of a cheap tier, one for each label, so that over all these items at least `target` of the answers agree with
 * the strong tier; items asked for are answered by it.
 *
 * A pilot sample of all items fits how errors fall with confidence for each label, and so in which order blocks of items are
 * accepted: the least risky first. A second, simple random sample along that order then tests the sets of accepted items, each
 * one with the whole `delta`, from the smallest up; the first that is not certified ends it, so no correction for many tests is due.
 */
export async function calibrateTwoTiers(
  answers: readonly CheapAnswer[],
  options: TwoTierOptions,
): Promise<TwoTierCalibration> {
  const random = seededRandom(options.seed);
  const order = shuffledIndices(answers.length, random);
  const known = order.filter((item) => isConfidence(answers[item]?.confidence));
  if (known.length === 0) return withoutConfidence(answers, options);
  const errors = new Map<number, boolean>();
  const ask = async (items: readonly number[]) => {
    const found = await options.ask(items);
    for (const [index, item] of items.entries()) errors.set(item, found[index] === true);
  };
  const most = options.labels ?? answers.length;
  await ask(pilotSample(known, answers, Math.min(Math.floor(most / 3), PILOT), random));
  const path = orderByRisk(known, answers, errors, random);
  const allowed = Math.floor((1 - options.target) * answers.length + 1e-9);
  const plan = planSample(path, errors, allowed, most - errors.size, options.delta);
  const sample = plan.reach.flatMap(({ items }) => items.filter((item) => !errors.has(item)));
  const rank = new Map(order.map((item, index) => [item, index]));
  sample.sort((a, b) => (rank.get(a) ?? 0) - (rank.get(b) ?? 0));
  const pilot = new Set(errors.keys());
  await ask(sample.slice(0, Math.round(sample.length * plan.rate)));
  const taken = largestCertified(plan.reach, plan.start, pilot, errors, allowed, options.delta);
  return outcome({ answers, options, errors, pilot, allowed }, taken);
}

function isConfidence(value: number | undefined): value is number {
  return value !== undefined && value >= 0 && value <= 1;
}

function orderByRisk(
  known: readonly number[],
  answers: readonly CheapAnswer[],
  errors: ReadonlyMap<number, boolean>,
  random: () => number,
): Block[] {
  const curves = new Map<string, ErrorCurve>();
  for (const label of new Set(known.map((item) => labelOf(answers, item)))) {
    const own = [...errors.keys()].filter((item) => answers[item]?.label === label);
    const right = own.map((item) => errors.get(item) === true);
    curves.set(
      label,
      fitErrorCurve(
        own.map((item) => confidenceOf(answers, item)),
        right,
      ),
    );
  }
  const groups = new Map<string, { label: string; confidence: number; items: number[] }>();
  for (const item of known) {
    const label = labelOf(answers, item);
    const confidence = confidenceOf(answers, item);
    const key = JSON.stringify([label, curves.get(label)?.isFlat ? '' : confidence]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { label, confidence, items: [item] });
    else {
      group.items.push(item);
      group.confidence = Math.min(group.confidence, confidence);
    }
  }
  return [...groups.values()]
    .map((group) => ({ ...group, risk: curves.get(group.label)?.riskAt(group.confidence) ?? 0.5 }))
    .sort((a, b) => a.risk - b.risk || b.confidence - a.confidence || compareText(a.label, b.label))
    .flatMap((group) => (curves.get(group.label)?.isFlat === true ? [group] : piecesOf(group, known.length, random)));
}

/**
 * Stated confidences are the same for hundreds of answers. Taken whole, they end the sequence long before the promise does. The lot
 * is drawn apart from that of the sample, which must be a simple random one of each set that is tested.
 */
function piecesOf(group: Block, total: number, random: () => number): readonly Block[] {
  const most = Math.max(1, Math.ceil(total * MAX_SHARE_AT_ONCE));
  const pieces: Block[] = [];
  const items = shuffledIndices(group.items.length, random).flatMap((index) => group.items[index] ?? []);
  for (let at = 0; at < items.length; at += most) {
    pieces.push({ ...group, items: items.slice(at, at + most) });
  }
  return pieces;
}

interface SamplePlan {
  /** Blocks that may be accepted. */
  readonly reach: readonly Block[];
  /** Of these, the number that the first test takes. */
  readonly start: number;
  /** Share of their items to ask for. */
  readonly rate: number;
}

/**
 * How many labels to buy: each one inside the accepted set costs a call, and together they narrow the margin that the
 * certificate needs; the sum of both is least where this says. Labels beyond the accepted set are no loss, for those items
 * go to the strong tier anyway.
 */
function planSample(
  path: readonly Block[],
  errors: ReadonlyMap<number, boolean>,
  allowed: number,
  mostLabels: number,
  delta: number,
): SamplePlan {
  let expected = 0;
  let count = 0;
  let start = 0;
  let end = path.length;
  let inside = { count: 0, expected: 0, risk: path.at(-1)?.risk ?? 0.5 };
  for (const [index, block] of path.entries()) {
    const open = block.items.reduce((sum, item) => sum + (errors.has(item) ? 0 : 1), 0);
    count += open;
    expected += block.risk * open;
    if (expected < FIRST_TEST * allowed) start = index;
    if (expected <= allowed || index === 0) inside = { count, expected, risk: block.risk };
    if (expected > LAST_TEST * allowed) {
      end = index + 1;
      break;
    }
  }
  const mean = Math.max(inside.expected / Math.max(1, inside.count), 1e-3);
  // The curve's end is its least certain point, so what is usual beside the mean has half a say.
  const margin = Math.sqrt(Math.max(inside.risk, 0.02) * Math.min(1, USUAL_MARGIN * mean));
  const costOfLabel = Math.max(0.1, 1 - mean / margin);
  const spread = Math.sqrt(mean * (1 - mean)) * inside.count;
  const least = MIN_TIMES * labelsWithoutError(1 - Math.min(0.5, allowed / Math.max(1, inside.count)), delta);
  const best = ((TYPICAL_DEVIATION * spread) / margin / 2 / costOfLabel) ** (2 / 3);
  const wanted = Math.max(best, least);
  const rate = Math.min(1, wanted / Math.max(1, inside.count), Math.max(0, mostLabels) / Math.max(1, count));
  return { reach: path.slice(0, end), start, rate };
}

/** Risk where acceptance ends, as a multiple of the mean risk of what is accepted. */
const USUAL_MARGIN = 2.5;

/** Labels at the least, as a multiple of those that would do if none were an error: a few may be. */
const MIN_TIMES = 1.7;

/** Where testing starts and how far it may go, as shares of the errors allowed that the pilot expects. */
const FIRST_TEST = 0.05;
const LAST_TEST = 2.5;

function largestCertified(
  reach: readonly Block[],
  start: number,
  pilot: ReadonlySet<number>,
  errors: ReadonlyMap<number, boolean>,
  allowed: number,
  delta: number,
): readonly Block[] {
  let taken = 0;
  const found = { population: 0, drawn: 0, errors: 0 };
  for (const [index, { items }] of reach.entries()) {
    for (const item of items) {
      if (pilot.has(item)) continue;
      found.population++;
      const isError = errors.get(item);
      if (isError === undefined) continue;
      found.drawn++;
      if (isError) found.errors++;
    }
    if (index < start) continue;
    if (!certifiesFewErrors(found, allowed, delta)) break;
    taken = index + 1;
  }
  return reach.slice(0, taken);
}

interface Evidence {
  readonly answers: readonly CheapAnswer[];
  readonly options: TwoTierOptions;
  readonly errors: ReadonlyMap<number, boolean>;
  readonly pilot: ReadonlySet<number>;
  readonly allowed: number;
}

function outcome({ answers, options, errors, pilot, allowed }: Evidence, taken: readonly Block[]): TwoTierCalibration {
  const accepted = taken.flatMap(({ items }) => items.filter((item) => !errors.has(item)));
  const total = answers.length;
  const saved = accepted.length * options.strong.cost - total * options.cheap.cost;
  const fallback =
    accepted.length === 0
      ? refusal(answers, options, errors, pilot)
      : saved > 0
        ? null
        : noSaving(accepted.length, total);
  if (fallback !== null) return { ...strongAlone(options, errors.size, fallback), labelled: [...errors.keys()] };
  const thresholds: Record<string, number> = {};
  for (const { label, confidence } of taken) thresholds[label] = Math.min(thresholds[label] ?? 1, confidence);
  const ties = tieShares(taken, answers);
  const share = accepted.length / total;
  const cost = options.cheap.cost + (1 - share) * options.strong.cost;
  const tiers: CalibratedTier[] = [
    { model: options.cheap.model, thresholds, ...(Object.keys(ties).length === 0 ? {} : { ties }), share },
    { model: options.strong.model, share: 1 - share },
  ];
  return {
    calibration: {
      ...promised(options),
      labelsUsed: errors.size,
      tiers,
      certified: { bound: 1 - allowed / total, method: METHOD },
      expectedCostUsd: cost,
      costShareOfStrongest: cost / options.strong.cost,
      oracleShare: 1 - share,
      fallback: null,
    },
    accepted,
    labelled: [...errors.keys()],
  };
}

/** Of the answers with the confidence where acceptance ends, the share that is accepted, by label; whole ones are left out. */
function tieShares(taken: readonly Block[], answers: readonly CheapAnswer[]): Readonly<Record<string, number>> {
  const last = taken.at(-1);
  if (last === undefined) return {};
  const { label, confidence } = last;
  const isTie = (item: number) => labelOf(answers, item) === label && answers[item]?.confidence === confidence;
  const all = [...answers.keys()].filter(isTie).length;
  const own = taken.reduce((sum, { items }) => sum + items.filter(isTie).length, 0);
  return own < all ? { [label]: own / all } : {};
}

const METHOD = 'fixed sequence of exact hypergeometric tests';

function promised({ target, delta }: TwoTierOptions) {
  return { target, delta, metric: 'agreement' as const };
}

function strongAlone(options: TwoTierOptions, labelsUsed: number, fallback: Fallback) {
  return {
    calibration: {
      ...promised(options),
      labelsUsed,
      tiers: [{ model: options.strong.model, share: 1 }],
      certified: { bound: 1, method: 'the strongest model answers everything' },
      expectedCostUsd: options.strong.cost,
      costShareOfStrongest: 1,
      oracleShare: 1,
      fallback,
    },
    accepted: [],
  };
}

function withoutConfidence(answers: readonly CheapAnswer[], options: TwoTierOptions): TwoTierCalibration {
  const reason =
    answers.length === 0
      ? 'there are no items'
      : `${options.cheap.model} states no confidence that can be used, so nothing tells its good answers from bad ones`;
  return { ...strongAlone(options, 0, { reason, labelsNeeded: null }), labelled: [] };
}

function noSaving(accepted: number, total: number): Fallback {
  const reason = `the ${accepted} of ${total} items that the cheap tier may answer save less than asking it costs`;
  return { reason, labelsNeeded: null };
}

function refusal(
  answers: readonly CheapAnswer[],
  { target, delta, cheap }: TwoTierOptions,
  errors: ReadonlyMap<number, boolean>,
  pilot: ReadonlySet<number>,
): Fallback {
  const asked = [...errors.keys()];
  const wrong = asked.map((item) => errors.get(item) === true);
  const tested = errors.size - pilot.size;
  const least = labelsWithoutError(target, delta);
  if (tested < least) {
    const reason = `${tested} labels are too few to promise ${target}: with no error at all it takes ${least}`;
    return { reason, labelsNeeded: least };
  }
  const sorted = separation(
    asked.map((item) => confidenceOf(answers, item)),
    wrong,
  );
  if (sorted !== undefined && sorted <= 0.5) {
    const reason = `${cheap.model} is no surer of its good answers than of its bad ones (AUROC ${sorted.toFixed(2)})`;
    return { reason, labelsNeeded: null };
  }
  const share = wrong.filter(Boolean).length / wrong.length;
  const reason = `no set of answers of ${cheap.model} could be certified: ${(share * 100).toFixed(0)} % of ${asked.length} labelled ones are wrong`;
  return { reason, labelsNeeded: 2 * errors.size };
}
