/** Largest relative error of a quantile. */
const ERROR = 0.02;
const GAMMA = (1 + ERROR) / (1 - ERROR);
const LOG_GAMMA = Math.log(GAMMA);
/** With so many, values up to 27,000 times the smallest one are kept apart: 100 ms and 45 minutes. */
const MAX_BINS = 256;
/** No letter of base64: what follows is steps. */
const STEPS = '~';

/**
 * Quantiles of positive values from counts in bins that grow exponentially. Sketches of parts add up to that of the whole,
 * whatever the order, and each quantile is within 2 % of the exact one. Values that lie more than 27,000 times below the
 * largest are taken for larger ones, so that a sketch stays under 1 kB.
 */
export class QuantileSketch {
  /** Counts by bin; `#first` is the bin of its first item. */
  #counts: number[] = [];
  #first = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** @param value positive; anything under 1 counts as 1 */
  add(value: number): void {
    this.#addTo(value > 1 ? Math.ceil(Math.log(value) / LOG_GAMMA) : 0, 1);
  }

  merge(other: QuantileSketch): void {
    // The highest first, so that what is low finds the bins that are kept; the others lie between it and the lowest.
    const highest = other.#counts.length - 1;
    for (const at of [highest, ...other.#counts.keys().take(Math.max(0, highest))]) {
      const count = other.#counts[at] ?? 0;
      if (count > 0) this.#addTo(other.#first + at, count);
    }
  }

  /** By nearest rank: of two values the 95th percentile is the larger one. @param share 0 to 1; undefined where nothing was counted */
  quantile(share: number): number | undefined {
    if (this.#count === 0) return undefined;
    const rank = Math.max(0, Math.ceil(share * this.#count) - 1);
    let seen = 0;
    let at = 0;
    for (; at < this.#counts.length - 1; at++) {
      seen += this.#counts[at] ?? 0;
      if (seen > rank) break;
    }
    // The middle of the bin: as far from its lower end as from its upper one, relatively.
    return (2 * GAMMA ** (this.#first + at)) / (GAMMA + 1);
  }

  /** Base64 of: the first bin, then each count; a run of empty bins is a 0 and its length. */
  encode(): string {
    return pack([this.#first, ...withRuns(this.#counts)]);
  }

  /**
   * As `encode`, with how each count differs from the one before: a fifth shorter where counts are large. Versions before it
   * cannot read it.
   */
  encodeSteps(): string {
    const steps = this.#counts.map((count, at) => count - (this.#counts[at - 1] ?? 0));
    return `${STEPS}${pack([this.#first, ...withRuns(steps.map((step) => (step < 0 ? -2 * step - 1 : 2 * step)))])}`;
  }

  /** @throws {RangeError} the text is none that `encode` or `encodeSteps` wrote */
  static decode(text: string): QuantileSketch {
    const isSteps = text.startsWith(STEPS);
    const [first, ...packed] = readVarints(Buffer.from(isSteps ? text.slice(STEPS.length) : text, 'base64url'));
    const sketch = new QuantileSketch();
    if (first === undefined) throw new RangeError(`${JSON.stringify(text)} is no sketch of quantiles`);
    let count = 0;
    let bin = first;
    for (const number of withoutRuns(packed)) {
      if (isSteps) count += number % 2 === 1 ? -(number + 1) / 2 : number / 2;
      else count = number;
      if (count > 0) sketch.#addTo(bin, count);
      bin += 1;
    }
    return sketch;
  }

  #addTo(bin: number, count: number): void {
    if (this.#count === 0) this.#first = bin;
    this.#count += count;
    if (bin < this.#first) {
      const missing = Math.min(this.#first - bin, MAX_BINS - this.#counts.length);
      this.#counts.unshift(...new Array<number>(missing).fill(0));
      this.#first -= missing;
    }
    const at = Math.max(0, bin - this.#first);
    while (this.#counts.length <= at) this.#counts.push(0);
    this.#counts[at] = (this.#counts[at] ?? 0) + count;
    if (this.#counts.length > MAX_BINS) this.#foldLowest();
  }

  #foldLowest(): void {
    const over = this.#counts.splice(0, this.#counts.length - MAX_BINS);
    this.#first += over.length;
    this.#counts[0] = (this.#counts[0] ?? 0) + over.reduce((sum, count) => sum + count, 0);
  }
}

/** A run of zeros is a 0 and its length. */
function withRuns(numbers: readonly number[]): readonly number[] {
  const packed: number[] = [];
  for (let at = 0; at < numbers.length; at++) {
    const number = numbers[at] ?? 0;
    packed.push(number);
    if (number !== 0) continue;
    let run = 1;
    while (numbers[at + 1] === 0) {
      run += 1;
      at += 1;
    }
    packed.push(run);
  }
  return packed;
}

function* withoutRuns(packed: readonly number[]): Generator<number> {
  for (let at = 0; at < packed.length; at++) {
    const number = packed[at] ?? 0;
    if (number !== 0) yield number;
    else for (let left = Math.min(packed[++at] ?? 0, MAX_BINS); left > 0; left--) yield 0;
  }
}

function pack(numbers: readonly number[]): string {
  return Buffer.from(numbers.flatMap(varint)).toString('base64url');
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
  return bytes;
}

function readVarints(bytes: Uint8Array): number[] {
  const values: number[] = [];
  let value = 0;
  let unit = 1;
  for (const byte of bytes) {
    value += (byte & 127) * unit;
    if (byte > 127) unit *= 128;
    else {
      values.push(value);
      value = 0;
      unit = 1;
    }
  }
  return values;
}
