/**
 * A provider's places for calls in one process. After trouble they come back one by one, with each call that succeeds
 * (slow start), so that a provider that has just recovered is not run over.
 */
export class Places {
  readonly #most: number;
  readonly #listeners: (() => void)[] = [];
  #open: number;
  #taken = 0;
  /** Who is told first the next time. */
  #first = 0;

  constructor(most: number) {
    this.#most = most;
    this.#open = most;
  }

  get free(): number {
    return Math.max(0, this.#open - this.#taken);
  }

  /** Takes one; ask `free` first. Disposing of it twice frees it once. */
  take(): Disposable {
    this.#taken += 1;
    let isTaken = true;
    return {
      [Symbol.dispose]: () => {
        if (!isTaken) return;
        isTaken = false;
        this.#taken -= 1;
        this.#tell();
      },
    };
  }

  /** One place is left; each success opens another. */
  startSlowly(): void {
    this.#open = 1;
  }

  succeeded(): void {
    if (this.#open >= this.#most) return;
    this.#open += 1;
    this.#tell();
  }

  /** Told whenever a place gets free, in turns: whoever is told first may take it. */
  onFree(listener: () => void): void {
    this.#listeners.push(listener);
  }

  #tell(): void {
    const from = this.#first % Math.max(1, this.#listeners.length);
    this.#first = from + 1;
    for (const listener of [...this.#listeners.slice(from), ...this.#listeners.slice(0, from)]) listener();
  }
}
