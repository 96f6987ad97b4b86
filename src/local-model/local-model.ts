/** A label of a classify workflow with its one-line description. */
export interface LabelDescription {
  readonly label: string;
  readonly description: string;
}

/** A labelled text that the local model learns from. `weight` defaults to 1. */
export interface LabelledExample {
  readonly text: string;
  readonly label: string;
  readonly weight?: number;
}

export interface LocalAnswer {
  readonly label: string;
  /** Calibrated probability that `label` is right, 0 to 1. */
  readonly confidence: number;
  /**
   * False where the model should not answer whatever its confidence: unlike every example, or not English.
   * `reason` then says why in one word.
   */
  readonly familiar: boolean;
  readonly reason?: 'unlike_examples' | 'not_english' | 'no_text';
}

/** Sentences that were chosen from a text. */
export interface Extract {
  /** Empty where the text has no words. */
  readonly text: string;
  /** Nothing that could be chosen is left out: the text is its own summary. */
  readonly isWhole: boolean;
  readonly isEnglish: boolean;
}

/** What a classifier was built from; equal specs share one trained head. */
export interface LocalClassifierSpec {
  readonly labels: readonly LabelDescription[];
  readonly examples: readonly LabelledExample[];
  /** The label of a text that no other label fits. Absent: one that is called so (`other`, `none of these`), if there is one. */
  readonly fallbackLabel?: string;
}

/**
 * The free model that ships with the program: no network, no cost, English only. Work runs in a worker
 * thread, so that no lock is lost while it computes.
 */
export interface LocalModel {
  /** `sentence-encoder` with the embedding packages installed, else `naive-bayes` (needs examples). */
  readonly kind: 'sentence-encoder' | 'naive-bayes';
  /** Trains or reuses the head for `spec`, then answers each text, in order. Aborting rejects with the signal's reason. */
  classify(spec: LocalClassifierSpec, texts: readonly string[], signal?: AbortSignal): Promise<readonly LocalAnswer[]>;
  /** Chosen sentences of `text` in document order, together at most `maxWords` words. Never written text. */
  extract(text: string, options: { readonly maxWords: number }, signal?: AbortSignal): Promise<Extract>;
  close(): Promise<void>;
}
