/** One input of a batch. */
export interface Document {
  /** Unique in its batch; 1 to 512 characters. */
  readonly id: string;
  readonly text: string;
  /** Copied to the result row unchanged. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** What its reader could not read or had to guess, copied to the result row: `code: what, in words`. */
  readonly warnings?: readonly string[];
}

/**
 * Why an input line is not a document. Stable codes; `docs/errors.md` lists them and a test keeps both equal.
 */
export type InputProblemCode =
  | 'invalid_json'
  | 'invalid_document'
  | 'missing_text'
  | 'missing_id'
  | 'duplicate_id'
  | 'not_utf8'
  | 'too_large'
  | 'invalid_row'
  | 'no_text'
  | 'unreadable_file';

/** A line that cannot become a document, named so that a person finds it. */
export interface InputProblem {
  readonly code: InputProblemCode;
  /** Says what is wrong and quotes the value seen, never more than 80 characters of it. */
  readonly message: string;
  /** File path or store key as the user gave it; `-` for standard input. */
  readonly source: string;
  /** 1-based; absent where the source is not made of lines. */
  readonly line?: number;
  /** The document's id when it could be read. */
  readonly id?: string;
}

/** What a reader yields, in input order: nothing is dropped silently. */
export type InputEntry =
  | { readonly kind: 'document'; readonly document: Document; readonly source: string; readonly line?: number }
  | { readonly kind: 'problem'; readonly problem: InputProblem };
