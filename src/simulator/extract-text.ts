import type { JsonSchema } from './strict-schema.ts';

/** Text beyond this is not looked at: an answer never needs it, and the cost of an answer must not grow with the document. */
const READ_CHARACTERS = 16_000;
/** Bounds scripts that put no spaces between words. */
const CHARACTERS_PER_WORD = 8;

/** The first sentences of the document that fit together into `maxWords`, at least a part of the first. */
export function firstSentences(document: string, maxWords: number): string {
  const chosen: string[] = [];
  let words = 0;
  for (const sentence of sentencesOf(document)) {
    const length = wordsOf(sentence).length;
    if (chosen.length > 0 && words + length > maxWords) break;
    chosen.push(sentence);
    words += length;
  }
  const text = wordsOf(chosen.join(' ')).slice(0, maxWords).join(' ');
  return text === '' ? 'The document has no text.' : cutAtWord(text, maxWords * CHARACTERS_PER_WORD);
}

/** Sentences with single spaces, in document order. */
export function sentencesOf(document: string): readonly string[] {
  return document
    .slice(0, READ_CHARACTERS)
    .replace(/\s+/g, ' ')
    .trim()
    .split(/(?<=[.!?]) |(?<=。)/u);
}

/** Cuts to at most `maxCharacters`, at a space where there is one. */
function cutAtWord(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text;
  const cut = text
    .slice(0, maxCharacters)
    .toWellFormed()
    .replace(/\ufffd$/, '');
  const space = cut.lastIndexOf(' ');
  return space > 0 ? cut.slice(0, space) : cut;
}

/** The largest length that the prompt allows, e.g. 120 in "40 to 120 words"; undefined where it names none. */
export function wordLimit(instructions: string): number | undefined {
  const match = /(\d{1,5})[ -]words?\b/i.exec(instructions);
  return match === null ? undefined : Math.max(1, Number(match[1]));
}

function wordsOf(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

/** Text beyond this is not looked at. */
const STATED_CHARACTERS = 400_000;
/** `Invoice number: 4711`, also in a list or a quotation. */
const STATED = /^[ \t>*#-]{0,8}(\p{L}[\p{L}\d _/-]{0,40}?)[ \t]{0,4}[:=][ \t]{0,4}(\S[^\r\n]{0,300})/gmu;
const EMAIL = /[^\s@<>"(),;]{1,64}@[\w-]{1,64}(?:\.[\w-]{2,24}){1,4}/u;
const DATE = /\b\d{4}-\d{2}-\d{2}\b/;

/** What a document states as `name: value` on a line of its own, the way a model without understanding can find it. */
export class StatedValues {
  readonly #text: string;
  #byName: ReadonlyMap<string, readonly string[]> | undefined;

  constructor(document: string) {
    this.#text = document.slice(0, STATED_CHARACTERS);
  }

  /** The texts under this name, in order: `vendorName` is `Vendor name`, and `items` is also `Item`. */
  under(name: string): readonly string[] {
    const plain = plainName(name);
    const byName = this.#index();
    return byName.get(plain) ?? byName.get(plain.replace(/s$/, '')) ?? [];
  }

  /** The value of a field that is neither an object nor a list; undefined where the document states none of its type. */
  value(name: string, schema: JsonSchema, position: number): string | number | boolean | undefined {
    const text = this.under(name)[position];
    const types: readonly unknown[] = Array.isArray(schema.type) ? schema.type : [schema.type];
    if (Array.isArray(schema.enum)) {
      const listed: readonly unknown[] = schema.enum;
      const found = listed.find((one) => text !== undefined && String(one).toLowerCase() === text.trim().toLowerCase());
      return typeof found === 'string' || typeof found === 'number' ? found : undefined;
    }
    if (types.includes('number') || types.includes('integer')) return numberIn(text, types.includes('integer'));
    if (types.includes('boolean')) return booleanIn(text);
    return types.includes('string') ? this.#textOf(text, String(schema.format ?? schema.description ?? '')) : undefined;
  }

  #textOf(text: string | undefined, form: string): string | undefined {
    if (/email/.test(form)) return (EMAIL.exec(text ?? '') ?? EMAIL.exec(this.#text))?.[0];
    if (/format date(?!-)|^date$/.test(form)) return (DATE.exec(text ?? '') ?? DATE.exec(this.#text))?.[0];
    return text?.trim();
  }

  #index(): ReadonlyMap<string, readonly string[]> {
    if (this.#byName === undefined) {
      const byName = new Map<string, string[]>();
      for (const [, name = '', value = ''] of this.#text.matchAll(STATED)) {
        const known = byName.get(plainName(name));
        if (known === undefined) byName.set(plainName(name), [value]);
        else known.push(value);
      }
      this.#byName = byName;
    }
    return this.#byName;
  }
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\d]/gu, '');
}

function numberIn(text: string | undefined, isWhole: boolean): number | undefined {
  const [written] = /-?\d[\d,]{0,20}(?:\.\d{1,9})?/.exec(text ?? '') ?? [];
  if (written === undefined) return undefined;
  const number = Number(written.replaceAll(',', ''));
  return isWhole ? Math.round(number) : number;
}

function booleanIn(text: string | undefined): boolean | undefined {
  if (/^(?:yes|true)\b/i.test(text ?? '')) return true;
  return /^(?:no|false)\b/i.test(text ?? '') ? false : undefined;
}
