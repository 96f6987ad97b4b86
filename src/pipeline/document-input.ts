import type { ObjectStore } from '../ports/object-store.ts';

/** Something that documents are read from. Every kind can be read again, and gives the same documents each time. */
export type DocumentInput =
  /** A JSONL file, a text file, or a folder of text files. */
  | { readonly kind: 'path'; readonly path: string }
  /** Standard input, kept in a file by `spoolStandardInput`; named `-` in entries and messages. */
  | { readonly kind: 'spooled'; readonly path: string }
  /** JSONL and text objects whose key starts with `prefix`, or the one object with that key. */
  | { readonly kind: 'store'; readonly store: ObjectStore; readonly prefix: string };

export const SUPPORTED_INPUTS =
  'JSONL files (.jsonl, .ndjson, .json; also with .gz or .zst), text files (.txt, .md) and folders of them, store prefixes, and - for standard input';

export type NamedCompression = 'gzip' | 'zstd';

export interface NameKind {
  /** `lines`: a document a line. `text`: the whole is one document. */
  readonly content: 'lines' | 'text' | 'other';
  /** What the name says; the bytes decide. */
  readonly compression?: NamedCompression;
}

/** What a file or key name promises, by its suffixes in any case. */
export function kindOfName(name: string): NameKind {
  const lower = name.toLowerCase();
  const packed = /\.(?:gz|zst)$/.exec(lower)?.[0];
  const inner = packed === undefined ? lower : lower.slice(0, -packed.length);
  const compression =
    packed === undefined ? {} : { compression: packed === '.gz' ? ('gzip' as const) : ('zstd' as const) };
  if (/\.(?:jsonl|ndjson|json)$/.test(inner)) return { content: 'lines', ...compression };
  if (packed === undefined && /\.(?:txt|md)$/.test(inner)) return { content: 'text' };
  return { content: 'other', ...compression };
}
