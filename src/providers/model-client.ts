import type { NanoUsd } from '../money/money.ts';
import type { Usage } from '../money/usage.ts';
import type { ModelRequest } from '../requests/model-request.ts';

export type { ModelFailureClass } from './failure.ts';

export type { ModelRequest };

export interface TokenLogprob {
  readonly token: string;
  readonly logprob: number;
  /** Of the token, where they are not those of its text: half of a character. */
  readonly bytes?: readonly number[];
  readonly top?: readonly { readonly token: string; readonly logprob: number }[];
}

export interface ModelReply {
  /** What the model wrote; where it declined in a field of its own, the words it declined with. */
  readonly text: string;
  readonly finish: 'stop' | 'length' | 'refusal' | 'other';
  /** Absent where the provider reported none; never guessed here. */
  readonly usage?: Usage;
  /** The model that answered, in the provider's words, where it says so. */
  readonly model?: string;
  /** What the provider says that the call has cost, nano-dollars. */
  readonly statedCost?: NanoUsd;
  /** What the server says of the build behind it, where it does: `system_fingerprint`, or a digest of the weights. */
  readonly fingerprint?: string;
  /** The provider's usage object as it came. */
  readonly rawUsage?: unknown;
  readonly logprobs?: readonly TokenLogprob[];
  /** Rate-limit headers as they came, lower-case names; `readRateLimits` reads them. */
  readonly rateLimitHeaders: Readonly<Record<string, string>>;
  /** The provider's id of this request, for its support desk. */
  readonly requestId?: string;
  readonly durationMs: number;
  /** From handing the request to its connection to the first byte of the response's headers. Absent: not measured. */
  readonly firstByteMs?: number;
  /** Calls that the server works on at once, where it has said so. */
  readonly serverSlots?: number;
}

/**
 * One provider endpoint. It makes one HTTP request per call and never retries: the caller owns retries,
 * because each one must pass admission again.
 */
export interface ModelClient {
  /** @throws {ModelCallError} for every failure, with its class and whether the provider may have billed it */
  call(request: ModelRequest, signal: AbortSignal): Promise<ModelReply>;
  close(): Promise<void>;
}
