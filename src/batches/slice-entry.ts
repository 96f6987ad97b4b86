import type { Document } from '../documents/document.ts';
import { parseJsonExactly } from '../text/json-value.ts';

/** An input line that `--skip-invalid` turned into an error row. */
export interface SkippedEntry {
  readonly id: string;
  readonly code: string;
  readonly message: string;
}

/** Where the first document with the same text is: position in its slice. */
export interface DocumentPlace {
  readonly slice: number;
  readonly position: number;
}

/** The row that an earlier batch of the same workflow has for the same text. */
export interface EarlierAnswer {
  readonly batch: string;
  /** As it stands in that batch's `results.jsonl`. */
  readonly row: string;
}

/** One line of a slice object in the store: a document with its token count, or a line that was skipped. */
export type SliceEntry =
  | {
      readonly kind: 'document';
      readonly document: Document;
      readonly tokens: number;
      /** Its text stands in the batch before: it gets the same answer and is not asked again. */
      readonly duplicateOf?: DocumentPlace;
      /** It gets this answer and is not asked again. */
      readonly answered?: EarlierAnswer;
    }
  | { readonly kind: 'skipped'; readonly skipped: SkippedEntry };

export function formatSliceEntry(entry: SliceEntry): string {
  if (entry.kind === 'skipped') return JSON.stringify({ skipped: entry.skipped });
  const { document, tokens, duplicateOf, answered } = entry;
  return JSON.stringify({
    ...document,
    tokens,
    ...(duplicateOf === undefined ? {} : { sameAs: duplicateOf }),
    ...(answered === undefined ? {} : { answered }),
  });
}

/** As it is stored. */
interface DocumentLine extends Document {
  readonly tokens: number;
  readonly sameAs?: DocumentPlace;
  readonly answered?: EarlierAnswer;
}

export function parseSliceEntry(line: string): SliceEntry {
  const value = JSON.parse(line) as DocumentLine | { readonly skipped: SkippedEntry };
  if ('skipped' in value) return { kind: 'skipped', skipped: value.skipped };
  // Numbers in metadata stay as they were written. Reading them so takes ten times as long, so only where there is any.
  const exact = value.metadata === undefined ? value : (parseJsonExactly(line) as DocumentLine);
  const { tokens, sameAs: duplicateOf, answered, ...document } = exact;
  return {
    kind: 'document',
    document,
    tokens,
    ...(duplicateOf === undefined ? {} : { duplicateOf }),
    ...(answered === undefined ? {} : { answered }),
  };
}
