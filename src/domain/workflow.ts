import type { NanoUsd } from './money.ts';
import type { TokenPrice } from './price.ts';

/** The model that ships with the program; a cascade names it like any other. */
export const LOCAL_MODEL_NAME = 'local';

/** A model as a batch uses it: no secrets, so it can be stored with the batch. */
export interface ModelSpec {
  /** Its name in the config; `local` for the built-in one. */
  readonly name: string;
  /** Name of the provider in the config; `local` for the built-in one. */
  readonly provider: string;
  /** The provider's name of it. */
  readonly id: string;
  /** Input and output together. */
  readonly contextTokens: number;
  readonly maxOutputTokens: number;
  readonly temperature?: number;
  /** Absent: unknown, which is refused wherever a budget applies. */
  readonly price?: TokenPrice;
  readonly structuredOutput: 'json_schema' | 'json_object' | 'prompt';
  readonly logprobs: boolean;
}

export interface Tier {
  readonly model: ModelSpec;
  /** Least confidence at which this tier answers; absent: every reply that passes the task's checks. */
  readonly acceptAt?: number;
}

export interface Label {
  readonly label: string;
  readonly description: string;
}

interface WorkflowBase {
  readonly name: string;
  /** Cheapest first, at least one. */
  readonly cascade: readonly Tier[];
  readonly instructions?: string;
  /** Use and fill the answer cache across batches. Absent: no. */
  readonly cache?: boolean;
  /**
   * From this share of any limit on, 0 to 1, the last tier is not asked any more: what the tiers before it answer is
   * taken, whatever its confidence, and the row says `degraded`. Absent: never.
   */
  readonly drainAt?: number;
}

export interface ClassifyWorkflow extends WorkflowBase {
  readonly task: 'classify';
  readonly labels: readonly Label[];
  readonly examples: readonly { readonly text: string; readonly label: string }[];
}

export interface SummarizeWorkflow extends WorkflowBase {
  readonly task: 'summarize';
  readonly summary: { readonly maxWords: number; readonly language?: string };
}

/** What happens to each document of a batch. Stored with the batch, so that a later config edit cannot change it. */
export type WorkflowSpec = ClassifyWorkflow | SummarizeWorkflow;

/** Limits in nano-dollars; absent: none. */
export interface WorkflowBudget {
  readonly batch?: NanoUsd;
  readonly day?: NanoUsd;
  readonly month?: NanoUsd;
}
