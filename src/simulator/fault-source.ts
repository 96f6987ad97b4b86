import type { ChatRequest } from './chat-request.ts';
import { findLabels } from './find-labels.ts';
import { FAULT_NAMES, type FaultName, type FaultRates } from './options.ts';
import { chance } from './random.ts';

/** What is due to happen to one try of a request. */
export interface DrawnFault {
  /** Tries of the same request before this one. */
  readonly attempt: number;
  readonly fault: FaultName | undefined;
}

/** Draws faults from the seed, the request and how often it was tried: a retry has a fate of its own. */
export class FaultSource {
  readonly #seed: number;
  readonly #attempts = new Map<string, number>();
  rates: FaultRates;

  constructor(seed: number, rates: FaultRates) {
    this.#seed = seed;
    this.rates = rates;
  }

  /** The same until `tried` is called, so that a refusal by a limit does not change what the next try meets. */
  draw(request: ChatRequest): DrawnFault {
    const attempt = this.#attempts.get(request.hash) ?? 0;
    return { attempt, fault: this.#drawName(request, attempt) };
  }

  tried(request: ChatRequest): void {
    this.#attempts.set(request.hash, (this.#attempts.get(request.hash) ?? 0) + 1);
  }

  /** One draw for all faults, so that their rates are shares of the calls. */
  #drawName(request: ChatRequest, attempt: number): FaultName | undefined {
    let left = chance(this.#seed, request.hash, `fault ${attempt}`);
    for (const name of FAULT_NAMES) {
      left -= this.rates[name] ?? 0;
      if (left < 0) return applies(name, request) ? name : undefined;
    }
    return undefined;
  }
}

/** Some faults need a reply that is JSON, or has a label. */
function applies(name: FaultName, request: ChatRequest): boolean {
  if (name === 'badJson') return request.format.kind !== 'text';
  if (name !== 'wrongLabel') return true;
  return request.format.kind === 'schema' && findLabels(request.format.schema) !== undefined;
}
