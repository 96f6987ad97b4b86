import { dot, normalise, type Vector } from './vectors.ts';

/** Share of the everyday texts that count: those farthest from the labels, as the others may well be in scope. */
const FAR_SHARE = 0.7;
/** A text is compared with the mean of so many of its nearest. */
const NEAREST = 3;
/** How far an example is moved to the middle of its label: a lone odd example draws less. */
const TO_THE_MIDDLE = 0.5;
const EVERYDAY_WEIGHT = 0.15;
/** Share of the examples that would count as out of scope. */
const OUT_SHARE = 0.1;
/** The threshold is measured on at most this many examples, evenly spread. */
const MEASURED_EXAMPLES = 400;
/** Log-odds of a text that is as near as the middle one of the examples. */
const MIDDLE_LOG_ODDS = 2.5;
/** From descriptions alone there is no spread to measure: fitted on news, intents and banking questions. */
const DESCRIBED = { everydayWeight: 1, threshold: -0.06, width: 0.1 } as const;

export interface ScopeReferences {
  /** Vectors of the labels' descriptions and of the phrases in them; at least one. */
  readonly descriptions: readonly Vector[];
  readonly examples: readonly { readonly vector: Vector; readonly label: number }[];
  /** What is out of scope unless a label is near. */
  readonly everyday: readonly Vector[];
  /** Examples of what is out of scope. */
  readonly outside: readonly Vector[];
}

/** The probability, 0 to 1, that one of the labels fits a text, by how near its vector is to what is known of them. */
export type LabelScope = (vector: Vector) => number;

/**
 * Learns the scope of a set of labels. With examples the threshold is their own spread: as far from the others as the
 * farthest tenth of them is an even chance. Without, it is fixed.
 */
export function labelScope({ descriptions, examples, everyday, outside }: ScopeReferences): LabelScope {
  const known = [...descriptions, ...examples.map(({ vector }) => vector)];
  const far = [...everyday.map((vector) => ({ vector, nearness: nearest(similarities(vector, known), 1) }))]
    .sort((a, b) => a.nearness - b.nearness)
    .slice(0, Math.ceil(FAR_SHARE * everyday.length))
    .map(({ vector }) => vector);
  const others = [...far, ...outside];
  const otherness = (vector: Vector) => nearest(similarities(vector, others), NEAREST);
  if (examples.length < 2) {
    const { everydayWeight, threshold, width } = DESCRIBED;
    return (vector) => {
      const score = nearest(similarities(vector, known), 1) - everydayWeight * otherness(vector);
      return probability((score - threshold) / width);
    };
  }
  const middles = middlesOf(examples);
  const points = [
    ...descriptions,
    ...examples.map(({ vector, label }) => between(vector, middles.get(label)?.sum ?? vector)),
  ];
  const scoreOf = (vector: Vector, near: readonly number[]) =>
    nearest(near, NEAREST) - EVERYDAY_WEIGHT * otherness(vector);
  const own = evenlySpread(examples.length)
    .map((i) => heldOutScore(i))
    .sort((a, b) => a - b);
  const threshold = own[Math.floor(OUT_SHARE * own.length)] ?? 0;
  const middle = own[Math.floor(own.length / 2)] ?? 0;
  const spread = Math.max(middle - threshold, 0.01);
  return (vector) =>
    probability((MIDDLE_LOG_ODDS * (scoreOf(vector, similarities(vector, points)) - threshold)) / spread);

  /** As if the example were not among them: its label's other examples are moved to a middle without it. */
  function heldOutScore(index: number): number {
    const example = examples[index];
    if (example === undefined) return 0;
    const middle = middles.get(example.label);
    const sum = middle === undefined || middle.count < 2 ? undefined : minus(middle.sum, example.vector);
    const near = points.flatMap((point, p) => {
      const other = examples[p - descriptions.length];
      if (other === example) return [];
      if (other === undefined || other.label !== example.label || sum === undefined) {
        return [dot(example.vector, point)];
      }
      return [dot(example.vector, between(other.vector, sum))];
    });
    return scoreOf(example.vector, near);
  }
}

function middlesOf(examples: ScopeReferences['examples']): Map<number, { sum: Vector; count: number }> {
  const middles = new Map<number, { sum: Vector; count: number }>();
  for (const { vector, label } of examples) {
    const middle = middles.get(label);
    if (middle === undefined) middles.set(label, { sum: vector.slice(), count: 1 });
    else {
      middle.count++;
      for (let k = 0; k < vector.length; k++) middle.sum[k] = (middle.sum[k] ?? 0) + (vector[k] ?? 0);
    }
  }
  return middles;
}

/** @param sum a vector of any length in the direction of the middle */
function between(vector: Vector, sum: Vector): Vector {
  const length = Math.sqrt(dot(sum, sum));
  const share = length > 0 ? TO_THE_MIDDLE / length : 0;
  return normalise(vector.map((value, k) => (1 - TO_THE_MIDDLE) * value + share * (sum[k] ?? 0)));
}

function minus(a: Vector, b: Vector): Vector {
  return a.map((value, k) => value - (b[k] ?? 0));
}

function similarities(vector: Vector, others: readonly Vector[]): readonly number[] {
  return others.map((other) => dot(vector, other));
}

/** Mean of the `count` highest; 0 of none. */
function nearest(values: readonly number[], count: number): number {
  const highest = values.toSorted((a, b) => b - a).slice(0, count);
  return highest.reduce((sum, value) => sum + value, 0) / Math.max(1, highest.length);
}

function evenlySpread(count: number): readonly number[] {
  const measured = Math.min(count, MEASURED_EXAMPLES);
  return Array.from({ length: measured }, (_, i) => Math.floor((i * count) / measured));
}

function probability(logOdds: number): number {
  return 1 / (1 + Math.exp(-logOdds));
}
