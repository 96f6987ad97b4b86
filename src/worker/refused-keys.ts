import { modelsOfTier, type Tier } from '../workflows/workflow.ts';

/** A key that was refused is tried again after so long: whoever fixed it at the provider need not restart workers. */
const TRY_AGAIN_AFTER_MS = 60_000;

/**
 * Providers that refuse this worker's key. That is a condition of the worker while others can work with theirs: it leaves
 * the batches that need them to others.
 */
export class RefusedKeys {
  readonly #refused = new Map<string, { readonly why: string; readonly until: number }>();
  readonly #monotonic: () => number;

  /** @param monotonic milliseconds of a clock that never goes back */
  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  /** @returns true where it was not known */
  note(provider: string, why: string): boolean {
    const known = this.#refused.has(provider);
    this.#refused.set(provider, { why, until: this.#monotonic() + TRY_AGAIN_AFTER_MS });
    return !known;
  }

  /** The pause of a workflow takes over, or the key works. */
  forget(provider: string): void {
    this.#refused.delete(provider);
  }

  /** Why a cascade cannot be asked from here, one sentence; undefined: it can, as far as is known. */
  whyNot(cascade: readonly Tier[]): string | undefined {
    for (const { provider } of cascade.flatMap(modelsOfTier)) {
      const refused = this.#refused.get(provider);
      if (refused !== undefined && this.#monotonic() < refused.until) return refused.why;
    }
    return undefined;
  }
}
