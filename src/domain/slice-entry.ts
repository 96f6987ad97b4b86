import type { Document } from './document.ts';

/** An input line that `--skip-invalid` turned into an error row. */
export interface SkippedEntry {
  readonly id: string;
  readonly code: string;
  readonly message: string;
}

/** One line of a slice object in the store: a document with its token count, or a line that was skipped. */
export type SliceEntry =
  | { readonly kind: 'document'; readonly document: Document; readonly tokens: number }
  | { readonly kind: 'skipped'; readonly skipped: SkippedEntry };

export function formatSliceEntry(entry: SliceEntry): string {
  return JSON.stringify(
    entry.kind === 'document' ? { ...entry.document, tokens: entry.tokens } : { skipped: entry.skipped },
  );
}

export function parseSliceEntry(line: string): SliceEntry {
  const value = JSON.parse(line) as (Document & { readonly tokens: number }) | { readonly skipped: SkippedEntry };
  if ('skipped' in value) return { kind: 'skipped', skipped: value.skipped };
  const { tokens, ...document } = value;
  return { kind: 'document', document, tokens };
}
