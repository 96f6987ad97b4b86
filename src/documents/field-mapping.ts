import { quoteValue } from '../text/quote-value.ts';
import type { FormatSettings } from './document-parser.ts';

/** Which fields of a line or columns of a table make a document. Absent: see the reader. */
export interface FieldMapping {
  readonly text?: string;
  readonly id?: string;
  /** Fields that are copied to the result row; `*`: all but text and id. */
  readonly metadata?: readonly string[] | '*';
  /** A line of JSON without a text is itself a chat request, or has one as its `body`: the JSON of that is the text. */
  readonly isRequest?: true;
}

/** How the documents of a workflow are read. */
export interface InputDefaults extends FieldMapping, FormatSettings {
  /** A label that TextDecoder knows. */
  readonly encoding?: string;
  /** Of CSV, see `isCsvDelimiter`. */
  readonly delimiter?: string;
}

/** Positions of the columns that make a document. */
export interface TableColumns {
  readonly text: number;
  /** Absent: a row is named by where it is. */
  readonly id?: number;
  readonly metadata: readonly { readonly name: string; readonly at: number }[];
}

const TEXT_NAMES = ['text', 'content', 'body'];
const ID_NAMES = ['id', 'custom_id'];
const COLUMNS_SHOWN = 20;

/**
 * Finds columns by name: those that `mapping` names exactly; else text in the first of `text`, `content`, `body` and the
 * id in the first of `id`, `custom_id` that there is, in any case.
 *
 * @returns `fault`: why not, the columns seen and the flag to use, as the end of a sentence that begins "Cannot read FILE: "
 */
export function findColumns(
  names: readonly string[],
  mapping: FieldMapping = {},
): { readonly columns: TableColumns } | { readonly fault: string } {
  const missing = (what: string, flag: string) => ({ fault: `${what}. Its columns: ${listNames(names)}. ${flag}` });
  const text = find(names, mapping.text, TEXT_NAMES);
  if (text === undefined) {
    const what =
      mapping.text === undefined
        ? `it has no column ${TEXT_NAMES.join(', ')}`
        : `it has no column ${quoteValue(mapping.text)}`;
    return missing(what, 'Name the one that holds the text: --text-field COLUMN');
  }
  const id = find(names, mapping.id, ID_NAMES);
  if (mapping.id !== undefined && id === undefined) {
    return missing(`it has no column ${quoteValue(mapping.id)}`, 'Name the one that holds the id: --id-field COLUMN');
  }
  const metadata = metadataColumns(names, mapping.metadata, [text, id]);
  const absent = metadata.find(({ at }) => at === -1);
  if (absent !== undefined) {
    const flag = 'Name those that are copied to the results: --metadata-fields COLUMN,COLUMN, or * for all';
    return missing(`it has no column ${quoteValue(absent.name)}`, flag);
  }
  const used = [text, ...(id === undefined ? [] : [id]), ...metadata.map(({ at }) => at)];
  const doubled = used.map((at) => names[at] ?? '').find((name) => names.indexOf(name) !== names.lastIndexOf(name));
  if (doubled !== undefined)
    return missing(`two of its columns are named ${quoteValue(doubled)}`, 'Rename one of them');
  return { columns: { text, ...(id === undefined ? {} : { id }), metadata } };
}

function find(names: readonly string[], wanted: string | undefined, known: readonly string[]): number | undefined {
  if (wanted !== undefined) return found(names.indexOf(wanted));
  const lower = names.map((name) => name.toLowerCase());
  return known.map((name) => found(lower.indexOf(name))).find((at) => at !== undefined);
}

function found(at: number): number | undefined {
  return at === -1 ? undefined : at;
}

function metadataColumns(
  names: readonly string[],
  wanted: FieldMapping['metadata'],
  taken: readonly (number | undefined)[],
): TableColumns['metadata'] {
  if (wanted !== '*') return (wanted ?? []).map((name) => ({ name, at: names.indexOf(name) }));
  return names.map((name, at) => ({ name, at })).filter(({ at }) => !taken.includes(at));
}

function listNames(names: readonly string[]): string {
  const shown = names.slice(0, COLUMNS_SHOWN).map(quoteValue).join(', ');
  if (names.length === 0) return 'none';
  return names.length > COLUMNS_SHOWN ? `${shown} and ${names.length - COLUMNS_SHOWN} more` : shown;
}
