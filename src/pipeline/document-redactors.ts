import type { RedactionPolicy } from '../domain/redact/redaction-policy.ts';
import { Redactor } from '../domain/redact/redactor.ts';

/** The redactors of one document, one for each policy that a provider of its cascade has. */
export class DocumentRedactors {
  readonly #text: string;
  readonly #redactors = new Map<string, Redactor>();

  constructor(text: string) {
    this.#text = text;
  }

  /** Made when the first provider that needs it is asked: a document answered before is never searched. */
  for(policy: RedactionPolicy): Redactor {
    const key = JSON.stringify(policy);
    let redactor = this.#redactors.get(key);
    if (redactor === undefined) {
      redactor = new Redactor(this.#text, policy);
      this.#redactors.set(key, redactor);
    }
    return redactor;
  }

  /** Values that were hidden, by rule; where providers have different policies, the most that one of them hid. */
  counts(): ReadonlyMap<string, number> {
    const most = new Map<string, number>();
    for (const { counts } of this.#redactors.values()) {
      for (const [rule, count] of Object.entries(counts)) most.set(rule, Math.max(count, most.get(rule) ?? 0));
    }
    return most;
  }
}
