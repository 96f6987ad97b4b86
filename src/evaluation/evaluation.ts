/** What was wanted of one document; one line of a golden set. */
export interface Golden {
  readonly id: string;
  /** Of a classification. */
  readonly label?: string;
  /** Of a summary: what a person would have written. */
  readonly summary?: string;
  /** Texts that a summary should have, and texts that it must not have; capitals do not matter. */
  readonly mustHave?: readonly string[];
  readonly mustNotHave?: readonly string[];
  /** Of an extraction. */
  readonly fields?: unknown;
}

/** What became of it; as a result or error row has it. */
export interface Answered {
  readonly id: string;
  readonly status: string;
  readonly label?: string;
  readonly confidence?: number;
  readonly summary?: string;
  readonly fields?: unknown;
  readonly errorCode?: string;
  readonly costUsd: number;
  readonly durationMs?: number;
}

/** Scores of one document, 0 to 1 each; what does not apply is absent. `right` is of labels: 0 or 1. */
export interface DocumentScores {
  readonly id: string;
  readonly valid: 0 | 1;
  readonly scores: Readonly<Record<string, number>>;
  readonly expected?: string;
  readonly got?: string;
  readonly confidence?: number;
  readonly error?: string;
  readonly costUsd: number;
  readonly durationMs?: number;
}

/** One evaluation run, as it is stored and as reports are made from. */
export interface Evaluation {
  readonly run: string;
  readonly workflow: string;
  readonly evaluatedAt: string;
  readonly hashes: Readonly<Record<string, string>>;
  readonly documents: number;
  /** Means over all documents; a failed one counts as 0. */
  readonly metrics: Readonly<Record<string, number>>;
  /** By expected label, then by answer; `(none)` where there was none. */
  readonly confusion?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly calibration?: Calibration;
  readonly costUsd: number;
  readonly latencyMs: { readonly median: number; readonly p95: number } | null;
  readonly items: readonly DocumentScores[];
}

export interface Calibration {
  /** Mean squared difference of confidence and truth: 0 is best. */
  readonly brier: number;
  /** Mean difference of confidence and share of right answers over bins of equal size. */
  readonly error: number;
  readonly bins: readonly { readonly count: number; readonly confidence: number; readonly right: number }[];
}
