import { isRecord } from '../../text/json-value.ts';
import type { FieldSchema, ScalarSchema } from '../../workflows/workflow.ts';

export interface FieldPath {
  /** Names from the outside in, lists left out, e.g. `lines.price`. */
  readonly path: string;
  /** A text or number that is not chosen from a list: a document can have it word for word. */
  readonly isFree: boolean;
}

/** The paths of all values that are not objects or lists. */
export function pathsOf(schema: FieldSchema, path = ''): readonly FieldPath[] {
  if (schema.type === 'object') {
    return Object.entries(schema.properties).flatMap(([name, field]) => pathsOf(field, join(path, name)));
  }
  if (schema.type === 'array') return pathsOf(schema.items, path);
  return [{ path, isFree: schema.enum === undefined && schema.type !== 'boolean' }];
}

/** One value of an answer that is neither an object, nor a list, nor null. */
export interface Leaf {
  /** As {@link FieldPath} has it. */
  readonly path: string;
  /** With positions in lists, e.g. `lines[0].price`. */
  readonly at: string;
  readonly value: string | number | boolean;
  readonly schema: ScalarSchema;
}

export function* leavesOf(schema: FieldSchema, value: unknown, path = '', at = ''): Generator<Leaf, void, undefined> {
  if (value === null || value === undefined) return;
  if (schema.type === 'object') {
    if (!isRecord(value)) return;
    for (const [name, field] of Object.entries(schema.properties)) {
      yield* leavesOf(field, value[name], join(path, name), join(at, name));
    }
  } else if (schema.type === 'array') {
    for (const [index, item] of (Array.isArray(value) ? value : []).entries()) {
      yield* leavesOf(schema.items, item, path, `${at}[${index}]`);
    }
  } else yield { path, at, value: value as Leaf['value'], schema };
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
