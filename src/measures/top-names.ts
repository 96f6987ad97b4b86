export const OTHER = 'other';

/** So many times the weight of the least shown name takes its place: names of about the same weight do not take turns. */
const CLEARLY_LARGER = 2;

/**
 * Which of many names have a series of their own: the heaviest, all others are counted as `other`. What was counted under
 * one name stays there, so that every series only grows.
 */
export class TopNames {
  readonly #shown: number;
  readonly #kept: number;
  readonly #weights = new Map<string, number>();
  readonly #names = new Set<string>();

  /**
   * @param shown names with a series of their own
   * @param kept names whose weight is known; others begin again when they come back
   */
  constructor(shown: number, kept: number) {
    this.#shown = shown;
    this.#kept = kept;
  }

  /** Adds to the weight of a name, and says what it is counted as. */
  labelOf(name: string, weight: number): string {
    this.#weights.set(name, (this.#weights.get(name) ?? 0) + weight);
    if (this.#names.size < this.#shown) this.#names.add(name);
    return this.#names.has(name) ? name : OTHER;
  }

  /** Chooses again, when the series are read. @returns names that have none any more */
  choose(): readonly string[] {
    const waiting = [...this.#weights].filter(([name]) => !this.#names.has(name)).sort((a, b) => b[1] - a[1]);
    const shown = [...this.#names].map((name) => [name, this.#weights.get(name) ?? 0] as const);
    shown.sort((a, b) => a[1] - b[1]);
    const gone: string[] = [];
    for (const [at, [name, weight]] of waiting.slice(0, shown.length).entries()) {
      const [least, leastWeight] = shown[at] ?? [name, weight];
      if (weight <= leastWeight * CLEARLY_LARGER) break;
      this.#names.delete(least);
      this.#names.add(name);
      gone.push(least);
    }
    // What is long past counts less and less.
    for (const [name, weight] of this.#weights) this.#weights.set(name, weight * 0.999);
    for (const [name] of waiting.slice(this.#kept)) this.#weights.delete(name);
    return gone;
  }
}
