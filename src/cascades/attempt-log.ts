import type { AnswerWarning } from '../prompts/question.ts';

/** How one tier ended for a document: `accepted`, or why what it said was not taken. */
export interface TierAttempt {
  /** Index in the workflow's cascade. */
  readonly tier: number;
  readonly model: string;
  /** What it answered; absent where it gave no label, and where parts of a document were asked. */
  readonly label?: string;
  /** 0 to 1; absent: unknown. */
  readonly confidence?: number;
  readonly reason: string;
}

/** What the tiers have said of one document, for its row. */
export class AttemptLog {
  readonly #tiers = new Map<number, TierAttempt>();
  readonly #warnings = new Set<AnswerWarning>();

  /** Of several parts, one that was not accepted says why the next tier was asked. */
  note(attempt: TierAttempt): void {
    const known = this.#tiers.get(attempt.tier);
    if (known === undefined || known.reason === ACCEPTED) this.#tiers.set(attempt.tier, attempt);
  }

  warn(warnings: readonly AnswerWarning[]): void {
    for (const warning of warnings) this.#warnings.add(warning);
  }

  /** What these tiers said is of answers that are not used: the document is asked in smaller parts. */
  forget(tiers: readonly number[]): void {
    for (const tier of tiers) this.#tiers.delete(tier);
    this.#warnings.clear();
  }

  /** In the order of the cascade. */
  get attempts(): readonly TierAttempt[] {
    return [...this.#tiers.values()].sort((a, b) => a.tier - b.tier);
  }

  get warnings(): readonly AnswerWarning[] {
    return [...this.#warnings];
  }
}

export const ACCEPTED = 'accepted';

/** Good enough, but its document was asked of the last tier too, as a sample. */
export const AUDITED = 'audited';
