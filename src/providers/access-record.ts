/** What this process knows of a model's access when a call is refused for its key, its model's name or its URL. */
export interface AccessEvidence {
  /** Different documents that were refused since a call last succeeded, this one included. */
  readonly refusedInARow: number;
  /** A call to this model has succeeded in this process. */
  readonly everWorked: boolean;
}

/**
 * While calls succeed, key and model are good, and a refusal says something of one request: a firewall on the way, a
 * blip. Only when document after document is refused and none succeeds is it the account's or the config's fault.
 */
export class AccessRecord {
  /** By the provider’s id: two configs may give two models one name. */
  readonly #models = new Map<string, { readonly refused: Set<string>; worked: boolean; longest: number }>();

  /** @param document any name that differs from document to document */
  refused(model: string, document: string): AccessEvidence {
    const known = this.#of(model);
    known.refused.add(document);
    return { refusedInARow: known.refused.size, everWorked: known.worked };
  }

  /** @param length of the request, in the caller's unit */
  worked(model: string, length: number): void {
    const known = this.#of(model);
    known.worked = true;
    known.longest = Math.max(known.longest, length);
    if (known.refused.size > 0) known.refused.clear();
  }

  /** Of the requests that succeeded; 0 where none has. */
  longestThatWorked(model: string): number {
    return this.#of(model).longest;
  }

  #of(model: string) {
    const known = this.#models.get(model) ?? { refused: new Set<string>(), worked: false, longest: 0 };
    this.#models.set(model, known);
    return known;
  }
}
