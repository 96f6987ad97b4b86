import type { InputProblemCode } from './document.ts';

/** Formats whose text has to be found first. `mail`: one message as in a .eml file. */
export type DocumentFormat = 'html' | 'pdf' | 'mail';

/** How much of a web page is its document; `auto` finds out. */
export const HTML_READINGS = ['auto', 'article', 'whole'] as const;

export type HtmlReading = (typeof HTML_READINGS)[number];

/** Where no other share is set. */
export const PDF_PAGES_WITHOUT_TEXT = 0.5;

export type ParsedDocument =
  | {
      readonly kind: 'text';
      readonly text: string;
      readonly metadata: Readonly<Record<string, unknown>>;
      /** Parts that were not read or had to be guessed: `code: what, in words`, the code in lower case with underscores. */
      readonly warnings?: readonly string[];
    }
  /** The file is damaged, has no text or takes too much time or memory. `message` is a sentence. */
  | { readonly kind: 'problem'; readonly code: InputProblemCode; readonly message: string };

/** Bytes that can be read at any place. */
export interface RandomAccess {
  readonly byteLength: number;
  /** From `start` up to and without `end`; all of them. */
  read(start: number, end: number): Promise<Uint8Array>;
}

/** A table in a file with columns. */
export interface ParquetTable {
  readonly columns: readonly string[];
  /**
   * Rows in order, lists of a few megabytes, each row with a value for every column of `at`, at the same position as in
   * `columns`; the others are left out.
   *
   * @param at positions in `columns`
   * @throws {ParseError} damaged, too large
   */
  rows(at: readonly number[]): AsyncIterable<readonly (readonly unknown[])[]>;
}

/** What is wrong with a table, as the end of a sentence that begins "Cannot read FILE: ". */
export class ParseError extends Error {
  override readonly name = 'ParseError';
}

/** How formats are read that leave a choice; part of what was submitted. */
export interface FormatSettings {
  /** Default `auto`. */
  readonly html?: HtmlReading;
  /** A PDF with a larger share of pages that show something but have no text is a problem; default `PDF_PAGES_WITHOUT_TEXT`. */
  readonly pdfPagesWithoutText?: number;
}

export interface ParseOptions {
  readonly encoding?: string | undefined;
  readonly formats?: FormatSettings | undefined;
  /** A longer text is a problem. */
  readonly maxTextUnits: number;
}

/**
 * Reads formats whose parsers may take long, much memory or forever on a hostile file: each document has a bound on
 * time and memory, past which it is a problem. May be asked for any number of documents at once; of tables one is read at a time.
 */
export interface DocumentParser extends AsyncDisposable {
  /** How many documents it parses at once; those beyond wait. */
  readonly threads: number;
  parse(format: DocumentFormat, bytes: Uint8Array, options: ParseOptions): Promise<ParsedDocument>;
  /** @throws {ParseError} not a Parquet file, damaged */
  openParquet(source: RandomAccess): Promise<ParquetTable>;
}
