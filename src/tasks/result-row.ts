import { type NanoUsd, nanoToDecimal, usdJson } from '../money/money.ts';
import type { Usage } from '../money/usage.ts';

/** What a succeeded row says: the answer of its task. `kind: 'extract'`: sentences that the local tier chose. */
export type TaskResult =
  | ChatCompletion
  | ExtractedFields
  | { readonly label: string; readonly confidence?: number; readonly partial?: PartialAnswer }
  | {
      readonly summary: string;
      readonly kind?: 'extract';
      readonly sources?: readonly SentenceSource[];
      readonly partial?: PartialAnswer;
    };

/** A provider's reply in the shape of OpenAI's API, whatever API it came from; its usage is the row's. */
export interface ChatCompletion {
  readonly id: string;
  readonly object: 'chat.completion';
  /** Seconds since the epoch. */
  readonly created: number;
  readonly model: string;
  readonly choices: readonly {
    readonly index: number;
    readonly message: {
      readonly role: 'assistant';
      readonly content: string | null;
      readonly refusal: string | null;
      readonly annotations: readonly never[];
    };
    readonly logprobs: { readonly content: readonly object[]; readonly refusal: null } | null;
    readonly finish_reason: 'stop' | 'length' | 'content_filter';
  }[];
}

export interface ExtractedFields {
  /** By the workflow's schema, optional ones without a value as null. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** That of the field that is least sure; absent: unknown. */
  readonly confidence?: number;
  /** By field, where log-probabilities told. */
  readonly confidences?: Readonly<Record<string, number>>;
  /** Where each value is in the document, by path, e.g. `lines[0].price`; where it cannot be found, the part that it was read from. */
  readonly sources?: Readonly<Record<string, readonly TextSpan[]>>;
  readonly partial?: PartialAnswer;
}

/** A stretch of a document: UTF-16 offsets, so that `text.slice(start, end)` is it. */
export interface TextSpan {
  readonly start: number;
  readonly end: number;
}

/** Where a sentence of a summary comes from; without chunks nothing in the document resembles it. */
export interface SentenceSource {
  readonly sentence: string;
  /** Best first. */
  readonly chunks: readonly TextSpan[];
}

/** The answer leaves out parts of the document, because their calls failed and the workflow allows that. */
export interface PartialAnswer {
  readonly parts: number;
  readonly failed: readonly (TextSpan & { readonly code: string })[];
}

/** How one tier ended for the document, and what its calls for it have cost. */
export interface RowAttempt {
  readonly tier: number;
  readonly model: string;
  readonly label?: string;
  readonly confidence?: number;
  /** `accepted`, or why what it said was not taken. */
  readonly reason: string;
  readonly cost: NanoUsd;
}

/** Where a document began in the cascade. */
export interface RowRoute {
  readonly tier: number;
  readonly model: string;
  /** `rule 2`, a kind, `unsure: KIND`, `failed: CODE`, or `otherwise`. */
  readonly why: string;
  /** Of the kind, 0 to 1. Absent: not known, or rules have decided. */
  readonly confidence?: number;
  /** The tiers before were asked all the same, as a sample. Absent: no. */
  readonly audited?: true;
}

/** What the calls of one model at one tier have cost for a document. */
export interface RowSpending {
  readonly tier: number;
  readonly model: string;
  readonly calls: number;
  readonly cost: NanoUsd;
  /** The providers' ids of these calls, where they name them. */
  readonly requestIds?: readonly string[];
}

interface RowBase {
  readonly id: string;
  /** Model calls whose reply was received, repeated and rejected ones included; the local tier counts as one. */
  readonly calls: number;
  readonly usage: Usage;
  readonly cost: NanoUsd;
  /** Where the money went, exactly: the sum over all rows is the manifest's `byModel`. Absent: no call was made. */
  readonly spent?: readonly RowSpending[];
  /** Absent: the workflow has no route, or the answer is another document's. */
  readonly route?: RowRoute;
  /** Every tier that was asked, cheapest first, where the workflow asks for it. */
  readonly attempts?: readonly RowAttempt[];
}

/** One line of `results.jsonl`. */
export interface ResultRow extends RowBase {
  readonly status: 'succeeded';
  readonly result: TaskResult;
  readonly model: string;
  /** Index of the tier that answered, 0 = cheapest. */
  readonly tier: number;
  readonly durationMs: number;
  /** Version and hash of the prompt, e.g. `summarize-v2@1a2b3c4d`; absent: no prompt, or only the local model's. */
  readonly prompt?: string;
  /**
   * The answer is under its tier's threshold, because the workflow was draining near a limit; or it is the built-in model's,
   * which stood in while the tier's providers were down.
   */
  readonly degraded?: boolean;
  /** It is the answer of the workflow's candidate, whose tiers are counted after the workflow's own. */
  readonly candidate?: boolean;
  /** The earlier batch of this workflow that has answered the same text; here it was not asked. */
  readonly answeredIn?: string;
  /** At least one of its calls went to a provider that stands in for its tier's own. */
  readonly fallback?: boolean;
  /** The model that answered, in the provider's words, where it is not the one that was asked. */
  readonly servedBy?: string;
  /** What is odd about the answer, which is kept because it was paid for (`prompt_cut`), and about its document: `code: what, in words`. */
  readonly warnings?: readonly string[];
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export type ErrorStatus = 'failed' | 'cancelled' | 'expired' | 'skipped';

/** One line of `errors.jsonl`. */
export interface ErrorRow extends RowBase {
  readonly status: ErrorStatus;
  readonly error: { readonly code: string; readonly message: string };
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export type Row = ResultRow | ErrorRow;

/** The line as it stands in the file, without the line break; fields in the documented order. */
export function formatRow(row: Row): string {
  // rawJSON keeps small amounts plain: JSON.stringify(1.5e-8) would print an exponent.
  const costUsd = JSON.rawJSON(nanoToDecimal(row.cost));
  if (row.status === 'succeeded') {
    return JSON.stringify({
      id: row.id,
      status: row.status,
      result: row.result,
      model: row.model,
      tier: row.tier,
      calls: row.calls,
      usage: row.usage,
      costUsd,
      ...writeSpending(row),
      durationMs: row.durationMs,
      ...(row.prompt === undefined ? {} : { prompt: row.prompt }),
      ...(row.degraded === true ? { degraded: true } : {}),
      ...(row.candidate === true ? { candidate: true } : {}),
      ...(row.answeredIn === undefined ? {} : { answeredIn: row.answeredIn }),
      ...(row.fallback === true ? { fallback: true } : {}),
      ...(row.servedBy === undefined ? {} : { servedBy: row.servedBy }),
      ...(row.warnings === undefined ? {} : { warnings: row.warnings }),
      ...(row.route === undefined ? {} : { route: row.route }),
      ...writeAttempts(row),
      ...(row.metadata === undefined ? {} : { metadata: row.metadata }),
    });
  }
  return JSON.stringify({
    id: row.id,
    status: row.status,
    error: row.error,
    calls: row.calls,
    usage: row.usage,
    costUsd,
    ...writeSpending(row),
    ...(row.route === undefined ? {} : { route: row.route }),
    ...writeAttempts(row),
    ...(row.metadata === undefined ? {} : { metadata: row.metadata }),
  });
}

function writeSpending({ spent }: Row): object {
  if (spent === undefined) return {};
  return {
    spent: spent.map(({ cost, requestIds, ...each }) => ({
      ...each,
      costNanoUsd: cost,
      ...(requestIds === undefined ? {} : { requestIds }),
    })),
  };
}

function writeAttempts({ attempts }: Row): object {
  if (attempts === undefined) return {};
  return { attempts: attempts.map(({ cost, ...attempt }) => ({ ...attempt, costUsd: usdJson(cost) })) };
}
