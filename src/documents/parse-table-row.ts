import { isDeeper, MAX_METADATA_DEPTH } from '../text/json-depth.ts';
import { quoteValue } from '../text/quote-value.ts';
import { findEmptiness, readableText } from '../text/visible-text.ts';
import type { InputEntry } from './document.ts';
import { findIdFault } from './document-id.ts';
import type { TableColumns } from './field-mapping.ts';

/** Where a row is. */
export interface RowPlace {
  readonly source: string;
  /** Line of a CSV file where the row begins, or number of a Parquet row; 1-based. */
  readonly line: number;
  /** The id where the table has no id column, e.g. `inbox.csv:12`. */
  readonly defaultId: string;
}

/**
 * Makes a document of one row. Problems: `missing_id`: the id is empty, too long, has control characters or is no exact number;
 * `missing_text`: the text is empty or no string; `invalid_document`: metadata nests too deep.
 */
export function parseTableRow(values: readonly unknown[], columns: TableColumns, place: RowPlace): InputEntry {
  const { source, line } = place;
  const idValue = columns.id === undefined ? place.defaultId : values[columns.id];
  const id = readId(idValue);
  if (id === undefined || findIdFault(id) !== undefined) {
    const fault = id === undefined ? `is ${quoteValue(idValue)}, not a string or exact number` : findIdFault(id);
    const message = `The row's id ${fault}${id === undefined ? '' : `: ${quoteValue(id)}`}`;
    return { kind: 'problem', problem: { code: 'missing_id', message, source, line } };
  }
  const text = values[columns.text];
  if (typeof text !== 'string' || text === '') {
    const message = `The row's text is ${text === '' ? 'empty' : `${quoteValue(text)}, not a string`}`;
    return { kind: 'problem', problem: { code: 'missing_text', message, source, line, id } };
  }
  const emptiness = findEmptiness(text);
  if (emptiness !== undefined) {
    return {
      kind: 'problem',
      problem: { code: 'missing_text', message: `The row's text ${emptiness}`, source, line, id },
    };
  }
  const document = { id, ...readableText(text) };
  if (columns.metadata.length === 0) return { kind: 'document', document, source, line };
  const raw = columns.metadata.map(({ name, at }) => [name, values[at]] as const);
  if (raw.some(([, value]) => isDeeper(value, MAX_METADATA_DEPTH - 1))) {
    const message = `The row's metadata nests deeper than ${MAX_METADATA_DEPTH} levels`;
    return { kind: 'problem', problem: { code: 'invalid_document', message, source, line, id } };
  }
  // fromEntries makes own properties, whatever they are called: `__proto__` is a name like any other.
  const metadata = Object.fromEntries(raw.map(([name, value]) => [name, toJson(value)]));
  return { kind: 'document', document: { ...document, metadata }, source, line };
}

function readId(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint') return String(value);
  return typeof value === 'number' &&
    (Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value)))
    ? String(value)
    : undefined;
}

/** Values of typed columns as JSON can hold them: times as ISO 8601, large integers as text, bytes in base64. */
function toJson(value: unknown): unknown {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Uint8Array) return value.toBase64();
  if (Array.isArray(value)) return value.map(toJson);
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number>);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, toJson(inner)]));
  }
  return value ?? null;
}
