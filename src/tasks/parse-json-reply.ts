import { jsonrepair } from 'jsonrepair';
import { isRecord, parseJson } from '../text/json-value.ts';

type JsonObject = Readonly<Record<string, unknown>>;

/** An answer that a model wraps in further objects stands no deeper. */
const MAX_NESTING = 3;
/** Repairing takes time in proportion to the text, and answers are short. */
const MAX_REPAIRED_CHARACTERS = 200_000;

/**
 * The JSON object with the answer in a model's reply. Servers without structured output wrap it in prose, a code block or
 * another object, or write it twice: the last object that has the field counts. What is almost JSON is repaired, but never
 * a reply that was cut off: a repair would make up its end.
 *
 * @param field that the answer must have; its key is found in any case
 * @returns undefined where there is no such object
 */
export function parseJsonReply(
  reply: { readonly text: string; readonly finish?: string },
  field: string,
): { readonly value: unknown; readonly object: JsonObject } | undefined {
  const text = reply.text.replace(/^\uFEFF/, '');
  const whole = parseObject(text);
  const found = whole === undefined ? undefined : findField(whole, field, 0);
  if (found !== undefined) return found;
  for (const candidate of objectsIn(text).reverse()) {
    const object = parseObject(candidate);
    const inside = object === undefined ? undefined : findField(object, field, 0);
    if (inside !== undefined) return inside;
  }
  return reply.finish === 'length' ? undefined : findRepaired(text, field);
}

/** Whether there is any JSON object, for saying what is wrong with the reply. */
export function hasJsonObject({ text }: { readonly text: string }): boolean {
  return parseObject(text) !== undefined || objectsIn(text).some((each) => parseObject(each) !== undefined);
}

function findRepaired(text: string, field: string): ReturnType<typeof parseJsonReply> {
  const start = text.indexOf('{');
  const end = text.lastIndexOf('}');
  if (start === -1 || end <= start || end - start > MAX_REPAIRED_CHARACTERS) return undefined;
  try {
    const repaired = parseObject(jsonrepair(text.slice(start, end + 1)));
    return repaired === undefined ? undefined : findField(repaired, field, 0);
  } catch {
    return undefined;
  }
}

function findField(object: JsonObject, field: string, depth: number): ReturnType<typeof parseJsonReply> {
  const key = keyOf(object, field);
  if (key !== undefined) return { value: object[key], object };
  if (depth >= MAX_NESTING) return undefined;
  for (const [name, inner] of Object.entries(object)) {
    if (name === '__proto__') continue;
    for (const each of Array.isArray(inner) ? inner : [inner]) {
      const found = isRecord(each) ? findField(each, field, depth + 1) : undefined;
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** The field's key as the object writes it: in any case. */
export function keyOf(object: JsonObject, field: string): string | undefined {
  if (Object.hasOwn(object, field)) return field;
  return Object.keys(object).find((name) => name.trim().toLowerCase() === field);
}

/** The outermost `{…}` of a text, in order; braces inside strings do not count. */
function objectsIn(text: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let start = 0;
  let inString = false;
  for (let index = text.indexOf('{'); index !== -1 && index < text.length; index++) {
    const char = text[index];
    if (inString) {
      if (char === '\\') index += 1;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = depth > 0;
    else if (char === '{') {
      if (depth === 0) start = index;
      depth += 1;
    } else if (char === '}' && depth > 0) {
      depth -= 1;
      if (depth === 0) found.push(text.slice(start, index + 1));
    }
  }
  return found;
}

function parseObject(text: string): JsonObject | undefined {
  const value = parseJson(text);
  return isRecord(value) ? value : undefined;
}
