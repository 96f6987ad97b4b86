import type { NanoUsd } from '../money/money.ts';

/** Money kept free for one call of a document until it is disposed of. */
export interface DocumentRoom extends Disposable {
  readonly hold: NanoUsd;
}

/**
 * What each document of a slice has cost and what its calls under way may cost, beside one limit for all of them. A document
 * belongs to one slice and a slice to one process, so this is counted here; whoever takes the slice over begins with the
 * journal and the calls that were booked as uncertain.
 */
export class DocumentBudget {
  readonly limit: NanoUsd;
  readonly #spent = new Map<number, NanoUsd>();
  readonly #held = new Map<number, NanoUsd>();
  readonly #waiting = new Map<number, (() => void)[]>();

  /** @param booked what was booked for documents before, by their positions in the slice */
  constructor(limit: NanoUsd, booked: Iterable<{ readonly document?: number; readonly cost: NanoUsd }> = []) {
    this.limit = limit;
    for (const { document, cost } of booked) if (document !== undefined) this.book(document, cost);
  }

  spent(document: number): NanoUsd {
    return this.#spent.get(document) ?? 0;
  }

  /** Other calls of the document are under way, and what they do not use comes back. */
  hasHeld(document: number): boolean {
    return (this.#held.get(document) ?? 0) > 0;
  }

  book(document: number, cost: NanoUsd): void {
    this.#spent.set(document, this.spent(document) + cost);
  }

  /** Undefined: the call might take the document beyond its limit. */
  room(document: number, hold: NanoUsd): DocumentRoom | undefined {
    const held = this.#held.get(document) ?? 0;
    if (this.spent(document) + held + hold > this.limit) return undefined;
    this.#held.set(document, held + hold);
    let isHeld = true;
    return {
      hold,
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#held.set(document, (this.#held.get(document) ?? 0) - hold);
        const waiting = this.#waiting.get(document) ?? [];
        this.#waiting.delete(document);
        for (const wake of waiting) wake();
      },
    };
  }

  /** Resolves when a call of the document has ended. Ask {@link hasHeld} first. */
  async change(document: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#waiting.set(document, [...(this.#waiting.get(document) ?? []), resolve]);
    });
  }
}
