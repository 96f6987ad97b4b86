import type { JsonSchema } from './strict-schema.ts';

/** Text beyond this is not looked at. */
const READ_CHARACTERS = 400_000;
/** `Invoice number: 4711`, also in a list or a quotation. */
const STATED = /^[ \t>*#-]{0,8}(\p{L}[\p{L}\d _/-]{0,40}?)[ \t]{0,4}[:=][ \t]{0,4}(\S[^\r\n]{0,300})/gmu;
const EMAIL = /[^\s@<>"(),;]{1,64}@[\w-]{1,64}(?:\.[\w-]{2,24}){1,4}/u;
const DATE = /\b\d{4}-\d{2}-\d{2}\b/;

/** What a document states as `name: value` on a line of its own, the way a model without understanding can find it. */
export class StatedValues {
  readonly #text: string;
  #byName: ReadonlyMap<string, readonly string[]> | undefined;

  constructor(document: string) {
    this.#text = document.slice(0, READ_CHARACTERS);
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
