import { describeInvalidUtf8 } from '../text/decode-text.ts';
import { isDeeper, MAX_METADATA_DEPTH } from '../text/json-depth.ts';
import { isRecord, parseJsonExactly } from '../text/json-value.ts';
import { quoteValue } from '../text/quote-value.ts';
import { findEmptiness, readableText } from '../text/visible-text.ts';
import type { Document, InputEntry, InputProblemCode } from './document.ts';
import { findIdFault } from './document-id.ts';
import type { FieldMapping } from './field-mapping.ts';

/** Where a line was read, for messages. */
export interface LinePlace {
  /** File path or store key as the user gave it; `-` for standard input. */
  readonly source: string;
  /** 1-based, blank lines counted. */
  readonly line: number;
}

type Found =
  | { readonly document: Document }
  | { readonly code: InputProblemCode; readonly message: string; readonly id?: string };

// A byte order mark at the start is dropped: Windows programs write one, and joined files have it on later lines too.
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads one line of a JSONL input: `{"id": "...", "text": "...", "metadata": {}}`. `custom_id` is accepted for `id`,
 * numbers are accepted as ids and become strings, other keys are ignored. `fields` names other keys, also inside
 * objects (`review.body`); metadata is then an object of the fields that it lists, those that a line lacks left out.
 * Numbers in metadata are kept as they are written (`JSON.rawJSON`), also those that a JavaScript number cannot hold.
 *
 * Problems by code: `not_utf8`; `invalid_json`; `invalid_document`: not an object, or `metadata` is not one or nests
 * deeper than 100 levels; `missing_id`: no id, or one that is not a string or exact number of 1 to 512 characters
 * without control characters; `missing_text`: `text` is absent, no string, or empty.
 *
 * @param bytes the line without its line feed; a carriage return at its end is accepted
 * @returns undefined for a blank line
 */
export function parseInputLine(
  bytes: Uint8Array,
  { source, line }: LinePlace,
  fields: FieldMapping = {},
): InputEntry | undefined {
  const found = readLine(bytes, fields);
  if (found === undefined) return undefined;
  if ('document' in found) return { kind: 'document', document: found.document, source, line };
  return { kind: 'problem', problem: { ...found, source, line } };
}

function readLine(bytes: Uint8Array, fields: FieldMapping): Found | undefined {
  let json: string;
  try {
    json = utf8.decode(bytes);
  } catch {
    return { code: 'not_utf8', message: `The line ${describeInvalidUtf8(bytes)}` };
  }
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    if (json.trim() === '') return undefined;
    return { code: 'invalid_json', message: `The line is not JSON (${shorten(error)}): write one object a line` };
  }
  return readDocument(value, json, fields);
}

function readDocument(value: unknown, json: string, fields: FieldMapping): Found {
  if (!isRecord(value)) {
    const message = `The line is ${quoteValue(value)}, not an object such as {"id": "1", "text": "..."}`;
    return { code: 'invalid_document', message };
  }
  const id = readId(value, fields.id);
  if (typeof id !== 'string') return id;
  const text = textOf(value, fields);
  if (typeof text !== 'string' || text === '') {
    return { code: 'missing_text', message: textMessage(value, text, fields.text), id };
  }
  const emptiness = findEmptiness(text);
  if (emptiness !== undefined) return { code: 'missing_text', message: `"${fields.text ?? 'text'}" ${emptiness}`, id };
  const metadata = fields.metadata === undefined ? value.metadata : pickMetadata(value, fields);
  const document = { id, ...readableText(text) };
  if (metadata === undefined || metadata === null) return { document };
  if (!isRecord(metadata)) {
    return { code: 'invalid_document', message: `"metadata" is ${quoteValue(metadata)}, not an object`, id };
  }
  if (isDeeper(metadata, MAX_METADATA_DEPTH)) {
    return { code: 'invalid_document', message: `"metadata" nests deeper than ${MAX_METADATA_DEPTH} levels`, id };
  }
  try {
    return { document: { ...document, metadata: metadataOf(parseJsonExactly(json), fields) } };
  } catch {
    return { code: 'invalid_document', message: 'The line nests too deep for its metadata to be copied', id };
  }
}

function textOf(value: Readonly<Record<string, unknown>>, fields: FieldMapping): unknown {
  const text = fields.text === undefined ? value.text : fieldOf(value, fields.text);
  if (fields.isRequest !== true || (typeof text === 'string' && text !== '')) return text;
  const { id: _, custom_id: __, method: ___, url: ____, metadata: _____, body, ...own } = value;
  return JSON.stringify(isRecord(text) ? text : isRecord(body) ? body : own);
}

/** @param value an object whose metadata is one, or is picked */
function metadataOf(value: unknown, fields: FieldMapping): Readonly<Record<string, unknown>> {
  const line = value as Readonly<Record<string, unknown>>;
  return fields.metadata === undefined ? (line.metadata as typeof line) : pickMetadata(line, fields);
}

function readId(
  value: Readonly<Record<string, unknown>>,
  field: string | undefined,
): string | { code: 'missing_id'; message: string } {
  const name = field ?? ((value.id ?? undefined) === undefined ? 'custom_id' : 'id');
  const id = (field === undefined ? value[name] : fieldOf(value, field)) ?? undefined;
  if (id === undefined) {
    return { code: 'missing_id', message: `The line has no "${field ?? 'id'}": give each document its own` };
  }
  if (typeof id === 'number') {
    // JSON readers round larger numbers, so that two ids could become one.
    if (Number.isSafeInteger(id) || (Number.isFinite(id) && !Number.isInteger(id))) return String(id);
    return { code: 'missing_id', message: `"${name}" is the number ${id}, too large to be exact: write it in quotes` };
  }
  if (typeof id !== 'string') return { code: 'missing_id', message: `"${name}" is ${quoteValue(id)}, not a string` };
  const fault = findIdFault(id);
  return fault === undefined ? id : { code: 'missing_id', message: `"${name}" ${fault}: ${quoteValue(id)}` };
}

/** A key of the line itself, else a path of keys into its objects. Own keys only: `__proto__` is nothing special. */
function fieldOf(value: Readonly<Record<string, unknown>>, path: string): unknown {
  if (Object.hasOwn(value, path)) return value[path];
  let inner: unknown = value;
  for (const key of path.split('.')) {
    if (!isRecord(inner) || !Object.hasOwn(inner, key)) return undefined;
    inner = inner[key];
  }
  return inner;
}

function pickMetadata(value: Readonly<Record<string, unknown>>, fields: FieldMapping): Record<string, unknown> {
  const taken = new Set([fields.text ?? 'text', ...(fields.id === undefined ? ['id', 'custom_id'] : [fields.id])]);
  const names =
    fields.metadata === '*' ? Object.keys(value).filter((name) => !taken.has(name)) : (fields.metadata ?? []);
  const found = names.map((name) => [name, fieldOf(value, name)] as const);
  return Object.fromEntries(found.filter(([, inner]) => inner !== undefined));
}

function textMessage(value: Readonly<Record<string, unknown>>, text: unknown, field: string | undefined): string {
  const name = field ?? 'text';
  if (text === '') return `"${name}" is empty`;
  if (text !== undefined) return `"${name}" is ${quoteValue(text)}, not a string`;
  const keys = quoteValue(Object.keys(value).slice(0, 20).join(', '));
  if (field !== undefined) return `The line has no "${name}"; its fields: ${keys}`;
  const batchKey = ['body', 'params'].find((key) => isRecord(value[key]));
  if (batchKey === undefined) return `The line has no "text" (--text-field names another); its fields: ${keys}`;
  return `The line has no "text" but "${batchKey}", like a provider's batch file, which is not supported: write {"id", "text"}`;
}

/** JSON.parse quotes some of the input; its message is cut like any value seen. */
function shorten(error: unknown): string {
  const message = error instanceof Error ? error.message.replace(/\s+/g, ' ').toWellFormed() : String(error);
  return message.length <= 80 ? message : `${message.slice(0, 79).toWellFormed()}…`;
}
