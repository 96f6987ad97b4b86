import type { ChatMessage } from './chat.ts';

/** What a tier is asked once: the same for every model of the cascade apart from the model's own settings. */
export interface Prompt {
  readonly messages: readonly ChatMessage[];
  /** Tokens that a good reply needs at most. Money is held for all of them, so it is tight. */
  readonly outputTokens: number;
  readonly responseSchema: { readonly name: string; readonly schema: Readonly<Record<string, unknown>> };
}

/**
 * Why a reply was not taken. Stable codes: rows, logs and the manifest count by them; `docs/errors.md` lists them and a
 * test keeps both equal.
 */
export const REJECTION_CODES = [
  'invalid_json',
  'invalid_shape',
  'label_not_in_set',
  'empty_summary',
  'too_long',
  'preamble',
  'forbidden_text',
  'wrong_language',
  'numbers_not_found',
  'names_not_found',
  'placeholder_unknown',
  'low_confidence',
  'truncated',
  'refused',
] as const;

export type RejectionCode = (typeof REJECTION_CODES)[number];

export type Judgement<T> =
  | { readonly kind: 'answer'; readonly value: T; readonly confidence: number }
  | { readonly kind: 'rejected'; readonly code: RejectionCode; readonly detail: string };

/** `bytes`: of the token, where they are not those of its text. */
export interface TokenLogprob {
  readonly token: string;
  readonly logprob: number;
  readonly bytes?: readonly number[];
}

/** A reply's text and the parts of it that confidence comes from. */
export interface ReplyText {
  readonly text: string;
  readonly finish: 'stop' | 'length' | 'refusal' | 'other';
  /** Tokens of `text` in order with their log-probabilities, where the provider gave them. */
  readonly tokens?: readonly TokenLogprob[];
}

/** One question to the cascade: the prompt and how its reply is judged. */
export interface Question<T> {
  readonly prompt: Prompt;
  judge(reply: ReplyText): Judgement<T>;
}
