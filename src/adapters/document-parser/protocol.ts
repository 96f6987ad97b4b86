import type { DocumentFormat, ParsedDocument, ParseOptions } from '../../documents/document-parser.ts';

/** What the program asks of the thread, one thing at a time, and what it sends while the thread reads a table. */
export type ParserRequest =
  | ({
      readonly kind: 'document';
      readonly format: DocumentFormat;
      readonly bytes: Uint8Array;
    } & ParseOptions)
  /** The table that `rows` reads from then on. */
  | { readonly kind: 'open-table'; readonly byteLength: number }
  /** Rows of a row group from `from` on, as many as make a few megabytes. */
  | { readonly kind: 'rows'; readonly group: number; readonly from: number; readonly columns: readonly number[] }
  /** Answers `read`. */
  | { readonly kind: 'bytes'; readonly read: number; readonly bytes: Uint8Array };

export type ParserReply =
  | { readonly kind: 'document'; readonly parsed: ParsedDocument }
  | { readonly kind: 'table'; readonly columns: readonly string[]; readonly groups: number }
  /** `next` is absent at the end of the row group. */
  | { readonly kind: 'rows'; readonly rows: readonly (readonly unknown[])[]; readonly next?: number }
  /** The table is damaged or too large: the end of a sentence that begins "Cannot read FILE: ". */
  | { readonly kind: 'fault'; readonly message: string }
  /** Bytes of the table that are needed; answered with `bytes`, then the thread continues. */
  | { readonly kind: 'read'; readonly read: number; readonly start: number; readonly end: number };
