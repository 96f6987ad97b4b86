/** Rows as they stand in `results.jsonl` and `errors.jsonl`; dollars are numbers with at most nine decimals. */

export interface RowUsage {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
}

interface AnyRow {
  readonly id: string;
  /** Model calls that were made for it, by retries too. */
  readonly calls: number;
  readonly usage: RowUsage;
  readonly costUsd: number;
  /** As it was submitted. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** What a reader or a check found; the document has its answer all the same. */
  readonly warnings?: readonly string[];
}

export interface ResultRow extends AnyRow {
  readonly status: 'succeeded';
  readonly result: {
    /** Of a `classify` workflow. */
    readonly label?: string;
    /** 0 to 1; absent where it is not known. */
    readonly confidence?: number;
    /** Of a `summarize` workflow. */
    readonly summary?: string;
    readonly [field: string]: unknown;
  };
  /** The name in the config of the model that answered. */
  readonly model: string;
  /** Its place in the cascade, from 0. */
  readonly tier: number;
  readonly durationMs: number;
  /** Where its document began in the cascade, and why; absent where the workflow has no route. */
  readonly route?: {
    readonly tier: number;
    readonly model: string;
    readonly why: string;
    readonly confidence?: number;
    readonly audited?: true;
  };
  /** What every tier that was asked said, and what that cost; see `rows.attempts` in the configuration. */
  readonly attempts?: readonly Readonly<Record<string, unknown>>[];
  /** Another model answered than was asked. */
  readonly servedBy?: string;
}

export interface ErrorRow extends AnyRow {
  readonly status: 'failed' | 'cancelled' | 'expired' | 'skipped';
  /** Codes: `docs/errors.md`. */
  readonly error: { readonly code: string; readonly message: string };
}

/** The receipt of a batch; `nightmill/schema` has its JSON Schema whole. */
export interface BatchManifest {
  readonly batch: string;
  readonly workflow: string;
  readonly state: 'completed' | 'cancelled' | 'expired';
  readonly documents: Readonly<Record<'total' | 'succeeded' | 'failed' | 'cancelled' | 'expired' | 'skipped', number>>;
  readonly files: readonly {
    readonly key: string;
    readonly bytes: number;
    readonly sha256: string;
    readonly lines: number;
  }[];
  readonly usage: RowUsage;
  /** Equal to the ledger to the last unit. */
  readonly costUsd: number;
  /** Calls whose outcome is not known, booked at what they could have cost at most. */
  readonly uncertainUsd: number;
  readonly [field: string]: unknown;
}
