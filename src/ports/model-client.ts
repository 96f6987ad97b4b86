import type { Usage } from '../domain/usage.ts';

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/** One chat request, provider-neutral. Deterministic: the same request has the same call key. */
export interface ModelRequest {
  /** The provider's own name of the model, e.g. `gpt-4.1-mini-2025-04-14`. */
  readonly modelId: string;
  readonly messages: readonly ChatMessage[];
  /** Tokens the reply may have, reasoning included. */
  readonly maxOutputTokens: number;
  readonly temperature?: number;
  /** The reply must be JSON of this shape. */
  readonly responseSchema?: { readonly name: string; readonly schema: Readonly<Record<string, unknown>> };
  /** Ask for log-probabilities of the reply's tokens, where the provider has them. */
  readonly logprobs?: boolean;
}

export interface TokenLogprob {
  readonly token: string;
  readonly logprob: number;
  readonly top?: readonly { readonly token: string; readonly logprob: number }[];
}

export interface ModelReply {
  readonly text: string;
  readonly finish: 'stop' | 'length' | 'refusal' | 'other';
  /** Absent where the provider reported none; never guessed here. */
  readonly usage?: Usage;
  /** The provider's usage object as it came. */
  readonly rawUsage?: unknown;
  readonly logprobs?: readonly TokenLogprob[];
  /** Rate-limit headers as they came, lower-case names. */
  readonly rateLimitHeaders: Readonly<Record<string, string>>;
  /** The provider's id of this request, for its support desk. */
  readonly requestId?: string;
  readonly durationMs: number;
}

export type ModelFailureClass =
  | 'rate_limited'
  | 'server_error'
  | 'timeout'
  | 'unreachable'
  | 'connection_lost'
  | 'invalid_reply'
  | 'authentication'
  | 'out_of_credit'
  | 'context_overflow'
  | 'bad_request'
  | 'refused_content'
  | 'aborted';

/**
 * One provider endpoint. It makes one HTTP request per call and never retries: the caller owns retries,
 * because each one must pass admission again.
 */
export interface ModelClient {
  /** @throws {ModelCallError} for every failure, with its class and whether the provider may have billed it */
  call(request: ModelRequest, signal: AbortSignal): Promise<ModelReply>;
  close(): Promise<void>;
}
