import type { ChatMessage } from '../prompts/chat.ts';
import type { Sampling } from '../prompts/question.ts';
import type { ReasoningRequest } from '../workflows/reasoning.ts';

/** Fields of a request's JSON, as a provider names them. */
export type JsonFields = Readonly<Record<string, unknown>>;

/** One chat request, provider-neutral. Deterministic: the same request has the same call key. */
export interface ModelRequest {
  /** The provider's own name of the model, e.g. `gpt-4.1-mini-2025-04-14`. */
  readonly modelId: string;
  readonly messages: readonly ChatMessage[];
  /** Tokens the reply may have, reasoning included. */
  readonly maxOutputTokens: number;
  readonly temperature?: number;
  /** The reply must be JSON; `schema` says of which shape, where the server can be told. */
  readonly responseFormat?:
    | {
        readonly kind: 'json_schema';
        readonly name: string;
        readonly schema: Readonly<Record<string, unknown>>;
        /** The server need not hold the reply to it. Absent: it must. */
        readonly strict?: boolean;
      }
    | { readonly kind: 'json_object' }
    | { readonly kind: 'prompt' };
  readonly sampling?: Sampling;
  /** Ask for log-probabilities of the reply's tokens, where the provider has them. */
  readonly logprobs?: boolean;
  /** How much to think before the reply. Absent: nothing is said about it, and the key is as it always was. */
  readonly reasoning?: ReasoningRequest;
  /** Further fields, which are none of those above. */
  readonly extra?: JsonFields;
}
