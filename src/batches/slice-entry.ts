import type { Document } from '../documents/document.ts';
import { parseJsonExactly } from '../text/json-value.ts';

/** An input line that `--skip-invalid` turned into an error row. */
export interface SkippedEntry {
  readonly id: string;
  readonly code: string;
  readonly message: string;
}

/** Where the first document with the same text stands: position in its slice. */
export interface DocumentPlace {
  readonly slice: number;
  readonly position: number;
}

/** One line of a slice object in the store: a document with its token count, or a line that was skipped. */
export type SliceEntry =
  | {
      readonly kind: 'document';
      readonly document: Document;
      readonly tokens: number;
      /** Its text stands in the batch before: it gets the same answer and is not asked again. */
      readonly sameAs?: DocumentPlace;
    }
  | { readonly kind: 'skipped'; readonly skipped: SkippedEntry };

export function formatSliceEntry(entry: SliceEntry): string {
  if (entry.kind === 'skipped') return JSON.stringify({ skipped: entry.skipped });
  const { document, tokens, sameAs } = entry;
  return JSON.stringify({ ...document, tokens, ...(sameAs === undefined ? {} : { sameAs }) });
}

interface DocumentLine extends Document {
  readonly tokens: number;
  readonly sameAs?: DocumentPlace;
}

export function parseSliceEntry(line: string): SliceEntry {
  // Numbers in metadata stay as they were written.
  const value = parseJsonExactly(line) as DocumentLine | { readonly skipped: SkippedEntry };
  if ('skipped' in value) return { kind: 'skipped', skipped: value.skipped };
  const { tokens, sameAs, ...document } = value;
  return { kind: 'document', document, tokens, ...(sameAs === undefined ? {} : { sameAs }) };
}
