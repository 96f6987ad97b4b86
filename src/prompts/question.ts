import type { ChatMessage } from './chat.ts';

/** What a tier is asked once: the same for every model of the cascade apart from the model's own settings. */
export interface Prompt {
  readonly messages: readonly ChatMessage[];
  /** Tokens that a good reply needs at most. Money is held for all of them, so it is tight. */
  readonly outputTokens: number;
  readonly responseSchema: { readonly name: string; readonly schema: Readonly<Record<string, unknown>> };
  /** What the request's own author asks for, in place of the schema and of the model's settings. Absent: nothing. */
  readonly asked?: AskedSettings;
}

export interface AskedSettings {
  /** Absent: text. */
  readonly format?: AskedFormat;
  readonly temperature?: number;
  readonly sampling?: Sampling;
  readonly logprobs?: boolean;
}

export type AskedFormat =
  | { readonly kind: 'json_object' }
  | {
      readonly kind: 'json_schema';
      readonly name: string;
      readonly schema: Readonly<Record<string, unknown>>;
      /** The server is to hold the reply to the schema. */
      readonly strict: boolean;
    };

/** How a model chooses its words, besides the temperature; each provider gets what its API takes. */
export interface Sampling {
  readonly topP?: number;
  readonly seed?: number;
  /** Texts at which the reply ends. */
  readonly stop?: readonly string[];
  readonly presencePenalty?: number;
  readonly frequencyPenalty?: number;
}

/**
 * Why a reply was not taken. Stable codes: rows, logs and the manifest count by them; `docs/errors.md` lists them and a
 * test keeps both equal.
 */
export const REJECTION_CODES = [
  'invalid_json',
  'invalid_shape',
  'label_not_in_set',
  'invalid_field',
  'value_not_found',
  'empty_summary',
  'too_long',
  'preamble',
  'forbidden_text',
  'wrong_language',
  'numbers_not_found',
  'names_not_found',
  'words_not_found',
  'placeholder_unknown',
  'low_confidence',
  'truncated',
  'refused',
] as const;

export type RejectionCode = (typeof REJECTION_CODES)[number];

/**
 * What a row says beside an answer that is kept: what it was doubted for. `document_budget`: the document may not cost more, so no further tier was asked. `confidence_stated`: log-probabilities were asked for, but the confidence
 * is the model's own statement or unknown. `not_english` and `whole_text`: of the local model, which knows English only and whose extract of a short
 * text is all of it.
 */
export type AnswerWarning = 'confidence_stated' | 'not_english' | 'whole_text' | 'document_budget' | RejectionCode;

export type Judgement<T> =
  | {
      readonly kind: 'answer';
      readonly value: T;
      /** 0 to 1; absent: unknown, which passes no threshold. */
      readonly confidence?: number;
      /** What is odd about the answer; the row says so. */
      readonly warnings?: readonly AnswerWarning[];
    }
  | {
      readonly kind: 'rejected';
      readonly code: RejectionCode;
      readonly detail: string;
      /** The answer is in the reply and only its form is wrong: a repair turn needs no document. */
      readonly isFormOnly?: boolean;
      /** What is taken, with a warning, where no better answer comes. */
      readonly kept?: { readonly value: T; readonly warnings: readonly AnswerWarning[] };
    };

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
  /** The model was asked for log-probabilities. */
  readonly logprobsAsked?: boolean;
}

/** One question to the cascade: the prompt and how its reply is judged. */
export interface Question<T> {
  readonly prompt: Prompt;
  /** What a row's `attempts` say of an answer; absent where it is of a part only. */
  labelOf?(value: T): string | undefined;
  /** A refusal is judged like any reply. Absent: it is rejected. */
  readonly takesRefusals?: true;
  judge(reply: ReplyText): Judgement<T>;
}
