import { jsonrepair } from 'jsonrepair';
import { isRecord, parseJson } from '../text/json-value.ts';
import { answerPart } from './answer-part.ts';
import { escapeStrings, objectsIn } from './json-spans.ts';

type JsonObject = Readonly<Record<string, unknown>>;

interface Found {
  readonly value: unknown;
  readonly object: JsonObject;
}

/** `differing`: several objects have the field and do not say the same, so none of them is the answer. */
export type JsonReply = ({ readonly kind: 'found' } & Found) | { readonly kind: 'differing' };

/** What is wrong with a reply that is `differing`. */
export const SEVERAL_ANSWERS = 'the reply has several answers that differ';

/** An answer that a model wraps in further objects stands no deeper. */
const MAX_NESTING = 3;
/** Repairing takes time in proportion to the text, and answers are short. */
const MAX_REPAIRED_CHARACTERS = 200_000;

/**
 * The JSON object with the answer in a model's reply. Servers without structured output wrap it in prose, a code block or
 * another object, or write it twice. What is almost JSON is repaired, but never a reply that was cut off: a repair would
 * make up its end.
 *
 * @param field that the answer must have; its key is found in any case
 * @returns undefined where there is no such object
 */
export function parseJsonReply(
  reply: { readonly text: string; readonly finish?: string },
  field: string,
): JsonReply | undefined {
  const text = answerPart(reply.text);
  const whole = parseWhole(text);
  const found = whole.flatMap((object) => findFields(object, field, 0));
  if (found.length > 0) return agreed(found);
  const spans = objectsIn(text);
  const exact =
    agreed(findIn(spans, field, parseObject)) ??
    agreed(findIn(objectsIn(withPlainQuotes(text)), field, parseObject)) ??
    agreed(findIn(spans, field, (span) => parseObject(escapeStrings(joinLiterals(span)))));
  if (exact !== undefined || reply.finish === 'length') return exact;
  return (
    agreed(findIn(spans, field, repair)) ??
    agreed(findIn(looseSpan(text), field, repair)) ??
    agreed(findIn(openSpan(text, field), field, repair))
  );
}

/** All objects of a reply that can be read as they stand, outermost first; those inside a text of JSON too. */
export function objectsOfReply({ text }: { readonly text: string }): readonly JsonObject[] {
  const said = answerPart(text);
  const whole = parseWhole(said);
  return whole.length > 0
    ? whole
    : objectsIn(said)
        .map(parseObject)
        .filter((object) => object !== undefined);
}

/** Whether there is any JSON object, for saying what is wrong with the reply. */
export function hasJsonObject({ text }: { readonly text: string }): boolean {
  return parseWhole(text).length > 0 || objectsIn(text).some((each) => parseObject(each) !== undefined);
}

/** The field's key as the object writes it: in any case, with spaces or marks around it. */
export function keyOf(object: JsonObject, field: string): string | undefined {
  if (Object.hasOwn(object, field)) return field;
  return Object.keys(object).find((name) => name.toLowerCase().replace(/[^\p{L}\p{N}_]/gu, '') === field);
}

/** The text as JSON: an object, a list of objects, or either of them inside a JSON string. */
function parseWhole(text: string): readonly JsonObject[] {
  const value = parseJson(text);
  const inner = typeof value === 'string' ? parseJson(value) : value;
  return (Array.isArray(inner) ? inner : [inner]).filter(isRecord);
}

function findIn(spans: readonly string[], field: string, parse: (span: string) => JsonObject | undefined): Found[] {
  return spans.flatMap((span) => {
    const object = parse(span);
    return object === undefined ? [] : findFields(object, field, 0);
  });
}

/** One answer where all say the same; one that says more than the others, and nothing else, counts for all. */
function agreed(found: readonly Found[]): JsonReply | undefined {
  const fullest = found.toSorted((a, b) => Object.keys(b.object).length - Object.keys(a.object).length)[0];
  if (fullest === undefined) return undefined;
  const isSame = found.every(({ object }) =>
    Object.entries(object).every(([name, value]) => says(fullest.object, name, value)),
  );
  return isSame ? { kind: 'found', ...fullest } : { kind: 'differing' };
}

function says(object: JsonObject, name: string, value: unknown): boolean {
  const key = keyOf(object, name) ?? keyOf(object, name.toLowerCase());
  return key !== undefined && JSON.stringify(object[key]) === JSON.stringify(value);
}

/** Objects inside one that has the field are part of its answer. */
function findFields(object: JsonObject, field: string, depth: number): Found[] {
  const key = keyOf(object, field);
  if (key !== undefined) return isSchema(object[key]) ? [] : [{ value: object[key], object }];
  if (depth >= MAX_NESTING) return [];
  return Object.entries(object).flatMap(([name, inner]) => {
    if (name === '__proto__') return [];
    const given = typeof inner === 'string' && /^\s*\{/.test(inner) ? parseJson(inner) : inner;
    const each: readonly unknown[] = Array.isArray(given) ? given : [given];
    return each.filter(isRecord).flatMap((one) => findFields(one, field, depth + 1));
  });
}

const SCHEMA_KEYS = new Set(['type', 'enum', 'description', 'items', 'minimum', 'maximum', 'title', 'properties']);

/** A model that repeats the schema it was given has not answered with it. */
function isSchema(value: unknown): boolean {
  if (!isRecord(value) || typeof value['type'] !== 'string') return false;
  return Object.keys(value).every((key) => SCHEMA_KEYS.has(key));
}

/** `"a " + "b"` and `"a "` above `"b"`: one text in pieces. */
function joinLiterals(span: string): string {
  return span.replace(/(?<=[^\\\s:,{[])(\s*)"\s*(?:\+|\n)\s*"(?=[^"\s,:}\]])/g, '$1');
}

/** Python's long strings as JSON's: what is between two marks, as it is. */
function withPlainQuotes(text: string): string {
  const parts = text.split(/"{3}|'{3}/);
  if (parts.length < 3 || parts.length % 2 === 0) return '';
  return parts.map((part, index) => (index % 2 === 0 ? part : JSON.stringify(part))).join('');
}

/** Where quotes are wrong, the end of an object cannot be told: all of it from the first brace that may begin one. */
function looseSpan(text: string): readonly string[] {
  const start = text.search(/\{\s*["'\u201c\u2018]/);
  const end = text.lastIndexOf('}');
  return start === -1 || end <= start ? [] : [text.slice(start, end + 1)];
}

/** An object whose braces are missing at one end or both: its model was given the first, or stopped before the last. */
function openSpan(text: string, field: string): readonly string[] {
  if (text.length > MAX_REPAIRED_CHARACTERS) return [];
  const plain = text
    .trim()
    .replace(/^```\w*|```$/g, '')
    .replaceAll('\\"', '"');
  const start = plain.indexOf('{');
  const begins = start === -1 ? plain.toLowerCase().indexOf(`"${field}"`) : start;
  if (begins === -1 || (start === -1 && plain.slice(0, begins).trim() !== '')) return [];
  const span = `${start === -1 ? '{' : ''}${plain.slice(begins, endOfLast(plain))}`;
  // Where a text is still open its end would be made up.
  return isInString(escapeStrings(`${span}}`)) ? [] : [`${span}}`];
}

/** Behind the last character that is neither white space nor a closing brace. */
function endOfLast(text: string): number {
  let end = text.length;
  while (end > 0 && /[\s}]/.test(text[end - 1] ?? '')) end -= 1;
  return end;
}

function isInString(json: string): boolean {
  return (json.replace(/\\./g, '').match(/"/g)?.length ?? 0) % 2 === 1;
}

function repair(span: string): JsonObject | undefined {
  if (span.length > MAX_REPAIRED_CHARACTERS) return undefined;
  const escaped = parseObject(escapeStrings(span)) ?? withSingleQuotes(span);
  if (escaped !== undefined) return escaped;
  try {
    return parseObject(jsonrepair(span));
  } catch {
    return undefined;
  }
}

/** `{'a': 'it's'}`: the same with the two marks changed for each other. */
function withSingleQuotes(span: string): JsonObject | undefined {
  if (!/^\{\s*'/.test(span)) return undefined;
  const value = parseObject(escapeStrings(swapQuotes(span.replaceAll("\\'", "'"))));
  return value === undefined ? undefined : (swapped(value) as JsonObject);
}

function swapQuotes(text: string): string {
  return text.replace(/['"]/g, (mark) => (mark === '"' ? "'" : '"'));
}

function swapped(value: unknown): unknown {
  if (typeof value === 'string') return swapQuotes(value);
  if (Array.isArray(value)) return value.map(swapped);
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [swapQuotes(key), swapped(inner)]));
}

function parseObject(text: string): JsonObject | undefined {
  const value = parseJson(text);
  return isRecord(value) ? value : undefined;
}
