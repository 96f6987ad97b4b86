import { isRecord } from '../text/json-value.ts';
import type { JsonSchema } from './strict-schema.ts';

/** What the walk asks for at the leaves. `name` is the nearest property name, for a hint at the meaning. */
export interface SchemaFiller {
  label(labels: readonly string[], name: string): string;
  /** @param position which string of an array, from 0 */
  text(name: string, description: string, position: number): string;
  /** Uniform from 0 to 1, or the confidence where the name means one. */
  fraction(name: string): number;
  /** The value that the document states under the field's name, in the schema's type; undefined: none. */
  stated(name: string, schema: JsonSchema, position: number): string | number | boolean | undefined;
  /** How many values the document states under the name; 0: none. */
  statedCount(name: string): number;
}

interface Walk {
  readonly filler: SchemaFiller;
  readonly root: JsonSchema;
  readonly name: string;
  readonly position: number;
  readonly depth: number;
}

/** A recursive `$ref` ends here, with null. */
const MAX_DEPTH = 24;
const DEFAULT_ITEMS = 3;

/**
 * A valid instance of a JSON schema. Knows `type`, `properties`, `items`, `minItems`, `maxItems`, `enum`, `const`,
 * `anyOf`, `oneOf`, local `$ref`, `minimum`, `maximum`, `minLength` and `maxLength`; `pattern` and `format` are ignored.
 */
export function fillSchema(schema: JsonSchema, filler: SchemaFiller): unknown {
  return fill(schema, { filler, root: schema, name: '', position: 0, depth: 0 });
}

function fill(schema: unknown, walk: Walk): unknown {
  if (!isRecord(schema) || walk.depth > MAX_DEPTH) return null;
  const deeper = { ...walk, depth: walk.depth + 1 };
  if (typeof schema.$ref === 'string') return fill(lookUp(walk.root, schema.$ref), deeper);
  if ('const' in schema) return schema.const;
  if (Array.isArray(schema.enum)) return walk.filler.stated(walk.name, schema, 0) ?? fillEnum(schema.enum, walk);
  const branches = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(branches)) return fillBranch(branches, deeper);
  const stated = walk.filler.stated(walk.name, schema, walk.position);
  if (stated !== undefined) return stated;
  const type = typeOf(schema);
  // A model that does not find a value leaves it out where it may.
  const mayMiss = Array.isArray(schema.type) && schema.type.includes('null');
  if (mayMiss && type !== 'object' && type !== 'array') return null;
  switch (type) {
    case 'object':
      return fillObject(schema, deeper);
    case 'array':
      return fillArray(schema, deeper);
    case 'string':
      return fillString(schema, walk);
    case 'number':
      return fillNumber(schema, walk, false);
    case 'integer':
      return fillNumber(schema, walk, true);
    case 'boolean':
      return walk.filler.fraction(walk.name) >= 0.5;
    default:
      return null;
  }
}

function typeOf(schema: JsonSchema): unknown {
  const type: unknown = Array.isArray(schema.type) ? schema.type.find((one) => one !== 'null') : schema.type;
  return type ?? (isRecord(schema.properties) ? 'object' : undefined);
}

function lookUp(root: JsonSchema, reference: string): unknown {
  let node: unknown = root;
  for (const step of reference.split('/').slice(1)) node = isRecord(node) ? node[step] : undefined;
  return node;
}

function fillEnum(values: readonly unknown[], walk: Walk): unknown {
  const labels = values.filter((value) => typeof value === 'string');
  return labels.length > 0 ? walk.filler.label(labels, walk.name) : (values[0] ?? null);
}

/** Branches that are all constants are an enum with descriptions; of others the first that is not null is taken. */
function fillBranch(branches: readonly unknown[], walk: Walk): unknown {
  const constants = branches.map((branch) => (isRecord(branch) ? branch.const : undefined));
  if (constants.every((value) => typeof value === 'string')) return fillEnum(constants, walk);
  return fill(
    branches.find((branch) => isRecord(branch) && branch.type !== 'null'),
    walk,
  );
}

function fillObject(schema: JsonSchema, walk: Walk): unknown {
  const properties = isRecord(schema.properties) ? schema.properties : {};
  return Object.fromEntries(
    Object.entries(properties).map(([name, property]) => [name, fill(property, { ...walk, name })]),
  );
}

function fillArray(schema: JsonSchema, walk: Walk): unknown {
  const min = numberOr(schema.minItems, 0);
  const stated = statedItems(schema.items, walk);
  const count = Math.min(
    numberOr(schema.maxItems, Number.POSITIVE_INFINITY),
    Math.max(min, stated === 0 ? DEFAULT_ITEMS : stated),
  );
  const items = Array.from({ length: count }, (_, position) =>
    fill(schema.items ?? { type: 'string' }, { ...walk, position }),
  );
  // Labels come from one document, so they repeat: an array of labels holds each once, where that is enough.
  const different = items.filter((item, index) => typeof item === 'object' || items.indexOf(item) === index);
  return different.length >= min ? different : items;
}

/** As many items as the document states of them, or of the field of theirs that it has most of. */
function statedItems(items: unknown, { filler, name }: Walk): number {
  const properties = isRecord(items) && isRecord(items.properties) ? Object.keys(items.properties) : [name];
  return Math.max(...properties.map((one) => filler.statedCount(one)));
}

function fillString(schema: JsonSchema, walk: Walk): string {
  const text = walk.filler.text(walk.name, String(schema.description ?? ''), walk.position);
  const cut = text.slice(0, numberOr(schema.maxLength, text.length)).toWellFormed();
  return cut.padEnd(numberOr(schema.minLength, 0), '.');
}

function fillNumber(schema: JsonSchema, walk: Walk, whole: boolean): number {
  const min = numberOr(schema.minimum, 0);
  const max = Math.max(min, numberOr(schema.maximum, whole ? min + 100 : min + 1));
  const value = min + walk.filler.fraction(walk.name) * (max - min);
  return whole ? Math.min(Math.floor(max), Math.ceil(value)) : Math.round(value * 1e4) / 1e4;
}

function numberOr(value: unknown, fallback: number): number {
  return typeof value === 'number' ? value : fallback;
}
