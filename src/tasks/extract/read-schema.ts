import { patternProblem } from '../../checks/safe-pattern.ts';
import { isRecord } from '../../text/json-value.ts';
import { knownNames } from '../../text/known-names.ts';
import { quoteValue } from '../../text/quote-value.ts';
import { withoutUndefined } from '../../text/without-undefined.ts';
import type { ArraySchema, FieldSchema, ObjectSchema, ScalarSchema } from '../../workflows/workflow.ts';
import { FORMAT_NAMES } from './formats.ts';

const MAX_DEPTH = 6;
const MAX_FIELDS = 200;
/** Neither a path's own characters nor what would reach an object's prototype. */
const FIELD_NAME = /^(?!__proto__$)[^.[\]{}"\\\p{Cc}]{1,64}$/u;

const TYPES = ['string', 'number', 'integer', 'boolean', 'object', 'array'] as const;
type FieldType = (typeof TYPES)[number];

/** Keywords that say nothing about a value. */
const REMARKS = ['$schema', '$id', '$defs', '$comment', 'definitions', 'title', 'default', 'examples', 'deprecated'];
const COMMON = ['type', 'description', 'nullable', ...REMARKS];
const KNOWN: Readonly<Record<FieldType, readonly string[]>> = {
  object: ['properties', 'required', 'additionalProperties'],
  array: ['items', 'minItems', 'maxItems'],
  string: ['enum', 'const', 'format', 'pattern', 'minLength', 'maxLength'],
  number: ['enum', 'const', 'minimum', 'maximum'],
  integer: ['enum', 'const', 'minimum', 'maximum'],
  boolean: [],
};

type Node = Readonly<Record<string, unknown>>;

/**
 * The fields that a JSON Schema describes. `$ref` to its own definitions is followed and `anyOf` with `null` is an optional
 * value, as generators of schemas write them.
 *
 * @param problems gets what cannot be used, each with its path
 * @returns undefined where there was a problem
 */
export function readSchema(schema: unknown, at: string, problems: string[]): ObjectSchema | undefined {
  const reader = new SchemaReader(schema, problems);
  const before = problems.length;
  const fields = reader.read(schema, at, 0);
  if (problems.length > before || fields === undefined) return undefined;
  if (fields.type !== 'object') {
    problems.push(
      `${at}.type: the schema of a document's fields has "type": "object"; it is ${quoteValue(fields.type)}`,
    );
    return undefined;
  }
  return fields;
}

class SchemaReader {
  readonly #root: unknown;
  readonly #problems: string[];
  #fields = 0;

  constructor(root: unknown, problems: string[]) {
    this.#root = root;
    this.#problems = problems;
  }

  read(written: unknown, at: string, depth: number): FieldSchema | undefined {
    if (depth > MAX_DEPTH) return this.#refuse(`${at}: fields may be ${MAX_DEPTH} levels deep, and none inside itself`);
    const node = this.#resolve(written, at, 0);
    if (node === undefined) return undefined;
    const type = this.#typeOf(node, at);
    if (type === undefined) return undefined;
    for (const key of Object.keys(node)) {
      if (COMMON.includes(key) || KNOWN[type.name].includes(key)) continue;
      this.#refuse(`${at}.${key}: ${key} is not checked for ${type.name}; ${knownNames(KNOWN[type.name])}`);
    }
    const { description } = node;
    const base = {
      ...(typeof description === 'string' ? { description } : {}),
      ...(type.nullable ? { nullable: true as const } : {}),
    };
    if (type.name === 'object') return this.#object(node, at, depth, base);
    if (type.name === 'array') return this.#array(node, at, depth, base);
    return this.#scalar(node, at, { ...base, type: type.name });
  }

  /** Follows references, and what `anyOf` with null stands for. */
  #resolve(written: unknown, at: string, hops: number): Node | undefined {
    if (!isRecord(written)) return this.#refuse(`${at}: a schema is an object; it is ${quoteValue(written)}`);
    if (typeof written.$ref === 'string') {
      const target = this.#lookUp(written.$ref);
      if (target === undefined || hops > MAX_DEPTH) {
        return this.#refuse(`${at}.$ref: ${quoteValue(written.$ref)} names nothing in this schema`);
      }
      const { $ref: _, ...own } = written;
      const resolved = this.#resolve(target, at, hops + 1);
      return resolved === undefined ? undefined : { ...resolved, ...own };
    }
    const branches = written.anyOf ?? written.oneOf;
    if (branches === undefined) return written;
    const { anyOf: _, oneOf: __, ...own } = written;
    const real = Array.isArray(branches) ? branches.filter((one) => !isRecord(one) || one.type !== 'null') : [];
    if (!Array.isArray(branches) || real.length !== 1 || branches.length !== 2) {
      return this.#refuse(
        `${at}.anyOf: only one schema and {"type": "null"} can be chosen between, for an optional value`,
      );
    }
    const resolved = this.#resolve(real[0], at, hops);
    return resolved === undefined ? undefined : { ...resolved, ...own, nullable: true };
  }

  #lookUp(reference: string): unknown {
    if (reference === '#') return this.#root;
    if (!reference.startsWith('#/')) return undefined;
    let node: unknown = this.#root;
    for (const step of reference.slice(2).split('/')) {
      const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
      node = isRecord(node) && Object.hasOwn(node, name) ? node[name] : undefined;
    }
    return node;
  }

  #typeOf(node: Node, at: string): { readonly name: FieldType; readonly nullable: boolean } | undefined {
    const written = node.type ?? impliedType(node);
    const names: readonly unknown[] = Array.isArray(written) ? written : [written];
    const [name, ...more] = names.filter((one) => one !== 'null');
    const isKnown = more.length === 0 && TYPES.includes(name as FieldType);
    if (isKnown) return { name: name as FieldType, nullable: names.includes('null') || node.nullable === true };
    return this.#refuse(
      `${at}.type: a field has one type, or one and "null"; it is ${JSON.stringify(written) ?? 'not given'}; ${knownNames(TYPES)}`,
    );
  }

  #object(node: Node, at: string, depth: number, base: object): ObjectSchema | undefined {
    const properties = isRecord(node.properties) ? Object.entries(node.properties) : [];
    if (properties.length === 0) return this.#refuse(`${at}.properties: an object has at least one field`);
    if (node.additionalProperties !== undefined && node.additionalProperties !== false) {
      this.#refuse(`${at}.additionalProperties: only the fields that are named are asked for; leave it out`);
    }
    this.#fields += properties.length;
    if (this.#fields > MAX_FIELDS)
      return this.#refuse(`${at}.properties: at most ${MAX_FIELDS} fields can be asked for`);
    const fields: [string, FieldSchema][] = [];
    for (const [name, schema] of properties) {
      const path = `${at}.properties.${name}`;
      if (!FIELD_NAME.test(name))
        this.#refuse(`${path}: a field's name has at most 64 characters, none of . [ ] { } " \\`);
      const field = this.read(schema, path, depth + 1);
      if (field !== undefined) fields.push([name, field]);
    }
    const required: readonly unknown[] = Array.isArray(node.required) ? node.required : [];
    const names = properties.map(([name]) => name);
    for (const name of required) {
      if (names.includes(name as string)) continue;
      this.#refuse(`${at}.required: there is no field ${quoteValue(name)}; ${knownNames(names)}`);
    }
    return { ...base, type: 'object', properties: Object.fromEntries(fields), required: required as string[] };
  }

  #array(node: Node, at: string, depth: number, base: object): ArraySchema | undefined {
    const items = this.read(node.items ?? { type: 'string' }, `${at}.items`, depth + 1);
    const bounds = this.#counts(node, at, ['minItems', 'maxItems']);
    return items === undefined ? undefined : { ...base, type: 'array', items, ...bounds };
  }

  #scalar(node: Node, at: string, base: Pick<ScalarSchema, 'type'>): ScalarSchema | undefined {
    const values = 'const' in node ? [node.const] : node.enum;
    const isText = base.type === 'string';
    const allowed = Array.isArray(values) ? values.filter((value) => value !== null) : undefined;
    if (values !== undefined && (allowed === undefined || allowed.length === 0)) {
      return this.#refuse(`${at}.enum: it lists at least one value`);
    }
    const other = allowed?.find((value) => typeof value !== (isText ? 'string' : 'number'));
    if (other !== undefined) return this.#refuse(`${at}.enum: ${quoteValue(other)} is not a ${base.type}`);
    const { format, pattern } = node;
    if (format !== undefined && !FORMAT_NAMES.includes(format as string)) {
      this.#refuse(`${at}.format: ${quoteValue(format)} is not checked; ${knownNames(FORMAT_NAMES)}`);
    }
    if (pattern !== undefined) this.#checkPattern(pattern, `${at}.pattern`);
    return {
      ...base,
      ...(allowed === undefined ? {} : { enum: allowed as (string | number)[] }),
      ...withoutUndefined({ format: format as string | undefined, pattern: pattern as string | undefined }),
      ...this.#counts(node, at, ['minLength', 'maxLength']),
      ...this.#numbers(node, at),
    };
  }

  #checkPattern(pattern: unknown, at: string): void {
    if (typeof pattern !== 'string') this.#refuse(`${at}: a pattern is a text; it is ${quoteValue(pattern)}`);
    else {
      const problem = patternProblem(pattern, 'u');
      if (problem !== undefined) this.#refuse(`${at}: ${quoteValue(pattern)} ${problem}`);
    }
  }

  #counts<K extends string>(node: Node, at: string, names: readonly K[]): { readonly [N in K]?: number } {
    const found = names.filter((name) => node[name] !== undefined);
    for (const name of found) {
      if (Number.isSafeInteger(node[name]) && (node[name] as number) >= 0) continue;
      this.#refuse(`${at}.${name}: it is a whole number from 0 on; it is ${quoteValue(node[name])}`);
    }
    return Object.fromEntries(found.map((name) => [name, node[name]])) as { [N in K]?: number };
  }

  #numbers(node: Node, at: string): Pick<ScalarSchema, 'minimum' | 'maximum'> {
    const found = (['minimum', 'maximum'] as const).filter((name) => node[name] !== undefined);
    for (const name of found) {
      if (typeof node[name] !== 'number')
        this.#refuse(`${at}.${name}: it is a number; it is ${quoteValue(node[name])}`);
    }
    return Object.fromEntries(found.map((name) => [name, node[name]]));
  }

  #refuse(problem: string): undefined {
    this.#problems.push(problem);
    return undefined;
  }
}

function impliedType(node: Node): unknown {
  if (node.properties !== undefined) return 'object';
  if (node.items !== undefined) return 'array';
  const [first]: readonly unknown[] = Array.isArray(node.enum) ? node.enum : [node.const];
  return typeof first === 'string' || typeof first === 'number' ? typeof first : undefined;
}
