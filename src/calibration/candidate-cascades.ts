import { type AnswerTable, type Cascade, meanOf } from './answer-table.ts';
import { separation } from './calibration.ts';

/** A cascade as some items show it. */
export interface Candidate extends Cascade {
  readonly cost: number;
  /** Standard deviations by which it seems to keep the promise. */
  readonly safety: number;
  /** Items on which it and the reference differ, and right answers less those of the reference. */
  readonly differing: number;
  readonly net: number;
}

export interface SearchOptions {
  /** What the promise compares with, by item. */
  readonly reference: Uint8Array;
  /** How much worse than the reference a cascade may be, as a share. */
  readonly margin: number;
  /** Most tiers, 1 to 3. */
  readonly mostTiers: number;
}

const THRESHOLDS = 20;
/** A tier that costs no less than another must be better by this to stay. */
const WORTH_ITS_PRICE = -0.02;

/**
 * Every single model, pair and triple with thresholds at quantiles, as these items show them; of those only the ones that are
 * safer than all cheaper ones, dearest first. They are what may be tested on other items.
 */
export function candidateCascades(
  table: AnswerTable,
  items: readonly number[],
  options: SearchOptions,
): readonly Candidate[] {
  const search = new Search(table, items, options);
  const models = worthyModels(table, items);
  for (const [index, first] of models.entries()) {
    search.addSingle(first);
    if (options.mostTiers > 1) search.addLonger(first, models.slice(index + 1));
  }
  return search.front();
}

/** Cheapest first, without those that another one beats in price and quality. */
export function worthyModels({ models, right, cost }: AnswerTable, items: readonly number[]): readonly number[] {
  const facts = models.map((_, model) => ({ cost: meanOf(cost[model], items), right: meanOf(right[model], items) }));
  const order = [...models.keys()].sort((a, b) => (facts[a]?.cost ?? 0) - (facts[b]?.cost ?? 0) || a - b);
  return order.filter((model, position) => {
    const own = facts[model]?.right ?? 0;
    return !order.slice(0, position).some((cheaper) => own - (facts[cheaper]?.right ?? 0) < WORTH_ITS_PRICE);
  });
}

class Search {
  readonly #found: Candidate[] = [];
  readonly #right: readonly Uint8Array[];
  readonly #cost: readonly Float64Array[];
  readonly #confidence: readonly Float64Array[];
  readonly #reference: Uint8Array;
  readonly #margin: number;
  readonly #mostTiers: number;
  readonly #size: number;
  /** By model, surest first. */
  readonly #order: readonly (readonly number[])[];
  readonly #thresholds: readonly (readonly number[])[];

  constructor(table: AnswerTable, items: readonly number[], { reference, margin, mostTiers }: SearchOptions) {
    const pick = <T extends Uint8Array | Float64Array>(type: { from(values: Iterable<number>): T }, values: T): T =>
      type.from(items.map((item) => values[item] ?? 0));
    this.#size = items.length;
    this.#right = table.right.map((values) => pick(Uint8Array as never, values));
    this.#cost = table.cost.map((values) => pick(Float64Array as never, values));
    this.#confidence = table.confidence.map((values) => pick(Float64Array as never, values));
    this.#reference = pick(Uint8Array as never, reference);
    this.#margin = margin;
    this.#mostTiers = mostTiers;
    const known = this.#confidence.map((values) => [...values.keys()].filter((at) => Number.isFinite(values[at])));
    this.#order = known.map((own, model) => own.sort((a, b) => this.#sure(model, b) - this.#sure(model, a)));
    this.#thresholds = this.#order.map((own, model) => this.#thresholdsOf(own, model));
  }

  #sure(model: number, at: number): number {
    return this.#confidence[model]?.[at] ?? Number.NaN;
  }

  /** A tier whose confidence does not tell right from wrong gets none. */
  #thresholdsOf(order: readonly number[], model: number): readonly number[] {
    const errors = order.map((at) => this.#right[model]?.[at] !== 1);
    const sorted = separation(
      order.map((at) => this.#sure(model, at)),
      errors,
    );
    if (order.length === 0 || sorted === undefined || sorted <= clearlyAbove(errors)) return [];
    const values = Array.from({ length: THRESHOLDS - 1 }, (_, step) =>
      this.#sure(model, order[Math.floor(((step + 1) * order.length) / THRESHOLDS)] as number),
    );
    return [...new Set(values)];
  }

  addSingle(model: number): void {
    const sums = new Sums();
    for (let at = 0; at < this.#size; at++) this.#add(sums, model, at, 1);
    this.#note([model], [], sums);
  }

  /** Two and three tiers that begin with this one. */
  addLonger(first: number, later: readonly number[]): void {
    for (const threshold of this.#thresholds[first] ?? []) {
      const base = new Sums();
      const rest = new Uint8Array(this.#size);
      for (let at = 0; at < this.#size; at++) {
        base.cost += this.#cost[first]?.[at] ?? 0;
        if (this.#sure(first, at) >= threshold) this.#count(base, first, at, 1);
        else rest[at] = 1;
      }
      for (const [index, second] of later.entries()) {
        const all = base.copy();
        for (let at = 0; at < this.#size; at++) if (rest[at] === 1) this.#add(all, second, at, 1);
        this.#note([first, second], [threshold], all);
        if (this.#mostTiers < 3) continue;
        for (const third of later.slice(index + 1)) this.#addTriples([first, second, third], threshold, base, rest);
      }
    }
  }

  /** Starts with everything at the third tier and moves the second one's surest answers to it, threshold by threshold. */
  #addTriples(tiers: readonly [number, number, number], threshold: number, base: Sums, rest: Uint8Array): void {
    const [, second, third] = tiers;
    const sums = base.copy();
    for (let at = 0; at < this.#size; at++) {
      if (rest[at] !== 1) continue;
      sums.cost += this.#cost[second]?.[at] ?? 0;
      this.#add(sums, third, at, 1);
    }
    const order = this.#order[second] ?? [];
    let next = 0;
    for (const bound of this.#thresholds[second] ?? []) {
      for (; next < order.length && this.#sure(second, order[next] as number) >= bound; next++) {
        const at = order[next] as number;
        if (rest[at] !== 1) continue;
        this.#add(sums, third, at, -1);
        this.#count(sums, second, at, 1);
      }
      this.#note(tiers, [threshold, bound], sums);
    }
  }

  #add(sums: Sums, model: number, at: number, sign: number): void {
    sums.cost += sign * (this.#cost[model]?.[at] ?? 0);
    this.#count(sums, model, at, sign);
  }

  #count(sums: Sums, model: number, at: number, sign: number): void {
    const difference = (this.#right[model]?.[at] ?? 0) - (this.#reference[at] ?? 0);
    sums.net += sign * difference;
    sums.differing += sign * Math.abs(difference);
  }

  #note(tiers: readonly number[], thresholds: readonly number[], { cost, net, differing }: Sums): void {
    // Two differences that nobody has seen yet keep a cascade from looking certain.
    const safety = (net + this.#margin * this.#size) / Math.sqrt(differing + 2);
    this.#found.push({ tiers, thresholds, cost: cost / this.#size, safety, differing, net });
  }

  front(): readonly Candidate[] {
    this.#found.sort((a, b) => a.cost - b.cost || b.safety - a.safety);
    const front: Candidate[] = [];
    for (const candidate of this.#found) {
      if (candidate.safety > (front.at(-1)?.safety ?? Number.NEGATIVE_INFINITY)) front.push(candidate);
    }
    return front.reverse();
  }
}

/** What chance alone could give three times out of a thousand where confidence tells nothing: under that a tier is not trusted. */
function clearlyAbove(errors: readonly boolean[]): number {
  const wrong = errors.filter(Boolean).length;
  const right = errors.length - wrong;
  return 0.5 + CLEARLY * Math.sqrt((errors.length + 1) / (12 * Math.max(1, wrong) * Math.max(1, right)));
}

/** Standard errors. */
const CLEARLY = 3;

class Sums {
  cost = 0;
  net = 0;
  differing = 0;

  copy(): Sums {
    return Object.assign(new Sums(), this);
  }
}
