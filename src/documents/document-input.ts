import type { ObjectStore } from '../store/object-store.ts';
import type { DocumentParser, FormatSettings } from './document-parser.ts';
import type { FieldMapping } from './field-mapping.ts';
import type { CsvDelimiter } from './parse-csv.ts';

/** How an input is read. Fields, encoding and formats are part of what was submitted. */
export interface InputReading {
  /** Which fields or columns make a document, in JSONL, CSV and Parquet. */
  readonly fields?: FieldMapping;
  /** Of JSONL, CSV, text and HTML, as a label that TextDecoder knows. Default: what a byte order mark says, else UTF-8. */
  readonly encoding?: string;
  /** Of HTML and PDF. */
  readonly formats?: FormatSettings;
  /** Of CSV and TSV. Default: tabs in TSV; else what is most frequent in the header. */
  readonly delimiter?: CsvDelimiter;
  /** For Parquet, HTML, PDF and e-mail; inputs of these types need it. */
  readonly parser?: DocumentParser;
}

/** Something that documents are read from. Every kind can be read again, and gives the same documents each time. */
export type DocumentInput = { readonly reading?: InputReading } & (
  | /** A file with many documents, one that is a document, or a folder of such. */
  {
      readonly kind: 'path';
      readonly path: string;
      /** What ids and messages call a file whose path means nothing to who gave it. Default: the path. */
      readonly sentAs?: string;
    }
  /** Standard input, kept in a file by `spoolStream`; named `-` in entries and messages. Always JSONL. */
  | { readonly kind: 'spooled'; readonly path: string }
  /** Objects whose key starts with `prefix`, or the one object with that key. */
  | { readonly kind: 'store'; readonly store: ObjectStore; readonly prefix: string }
);

export const SUPPORTED_INPUTS =
  'JSONL and CSV files (.jsonl, .ndjson, .json, .csv, .tsv; also with .gz or .zst), Parquet files (.parquet), documents (.txt, .md, .html, .pdf, .eml), folders of any of them, store prefixes, and - for JSONL on standard input';

export type NamedCompression = 'gzip' | 'zstd';

/** Content that is one document as a whole. */
export type DocumentContent = 'text' | 'html' | 'pdf' | 'mail';

export interface NameKind {
  /** `lines`: a document a line, as JSON. `csv`, `parquet`: a document a row. */
  readonly content: 'lines' | 'csv' | 'parquet' | DocumentContent | 'other';
  /** What the name says; the bytes decide. */
  readonly compression?: NamedCompression;
  /** Of `csv`, where the name says it. */
  readonly delimiter?: CsvDelimiter;
}

/** Of what can be read. */
export type ReadableKind = NameKind & { readonly content: Exclude<NameKind['content'], 'other'> };

const DOCUMENT_CONTENTS: ReadonlyMap<string, DocumentContent> = new Map([
  ['.txt', 'text'],
  ['.md', 'text'],
  ['.html', 'html'],
  ['.htm', 'html'],
  ['.pdf', 'pdf'],
  ['.eml', 'mail'],
]);

/** What a file or key name promises, by its suffixes in any case. */
export function kindOfName(name: string): NameKind {
  const lower = name.toLowerCase();
  const packed = /\.(?:gz|zst)$/.exec(lower)?.[0];
  const inner = packed === undefined ? lower : lower.slice(0, -packed.length);
  const compression =
    packed === undefined ? {} : { compression: packed === '.gz' ? ('gzip' as const) : ('zstd' as const) };
  if (/\.(?:jsonl|ndjson|json)$/.test(inner)) return { content: 'lines', ...compression };
  if (inner.endsWith('.csv')) return { content: 'csv', ...compression };
  if (/\.(?:tsv|tab)$/.test(inner)) return { content: 'csv', delimiter: '\t', ...compression };
  if (packed !== undefined) return { content: 'other', ...compression };
  if (inner.endsWith('.parquet')) return { content: 'parquet' };
  return { content: DOCUMENT_CONTENTS.get(/\.[^./]+$/.exec(inner)?.[0] ?? '') ?? 'other' };
}

/** Whether a file of this content is one document, as folders hold them. */
export function isDocumentContent(content: NameKind['content']): content is DocumentContent {
  return content !== 'lines' && content !== 'csv' && content !== 'parquet' && content !== 'other';
}
