import { runInSteps } from '../runtime/run-in-steps.ts';
import type { RedactionPolicy } from './redaction-policy.ts';
import { Redactor } from './redactor.ts';

/** The redactors of one document, one for each policy that a provider of its cascade has. */
export class DocumentRedactors {
  readonly #text: string;
  readonly #redactors = new Map<string, Promise<Redactor>>();
  readonly #counts: Redactor['counts'][] = [];

  constructor(text: string) {
    this.#text = text;
  }

  /** Made when the first provider that needs it is asked: a document answered before is never searched. */
  async for(policy: RedactionPolicy): Promise<Redactor> {
    const key = JSON.stringify(policy);
    let redactor = this.#redactors.get(key);
    if (redactor === undefined) {
      redactor = this.#make(policy);
      this.#redactors.set(key, redactor);
    }
    return await redactor;
  }

  async #make(policy: RedactionPolicy): Promise<Redactor> {
    const redactor = await runInSteps(Redactor.inSteps(this.#text, policy));
    this.#counts.push(redactor.counts);
    return redactor;
  }

  /** Values that were hidden, by rule; where providers have different policies, the most that one of them hid. */
  counts(): ReadonlyMap<string, number> {
    const most = new Map<string, number>();
    for (const counts of this.#counts) {
      for (const [rule, count] of Object.entries(counts)) most.set(rule, Math.max(count, most.get(rule) ?? 0));
    }
    return most;
  }
}
