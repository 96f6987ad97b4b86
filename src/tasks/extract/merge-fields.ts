import { isRecord } from '../../text/json-value.ts';
import type { FieldSchema, ObjectSchema } from '../../workflows/workflow.ts';
import type { TextSpan } from '../result-row.ts';
import { leavesOf } from './paths.ts';

/** Where values are, by path with positions in lists. */
export type Sources = Readonly<Record<string, readonly TextSpan[]>>;

/** What one part of a long document was found to have. */
export interface PartFields {
  readonly fields: Readonly<Record<string, unknown>>;
  /** Of all its fields; absent: unknown. */
  readonly confidence?: number;
  readonly confidences?: Readonly<Record<string, number>>;
  readonly sources: Sources;
}

export interface MergedFields {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly confidences?: Readonly<Record<string, number>>;
  readonly sources: Sources;
}

/** A value in one part: where it is there, and how much its vote weighs. */
interface Found {
  readonly part: PartFields;
  readonly value: unknown;
  readonly at: string;
  readonly weight: number;
}

/** A part that is sure of nothing still counts a little, so that all-zero confidences elect the majority. */
const MIN_WEIGHT = 1e-6;

/**
 * One answer from those to the parts of a document, in its order. Single values are voted on, each vote as heavy as it is sure,
 * and of equals the first in the document wins. Lists are joined: an item that an earlier part has too is the same one.
 */
export function mergeFields(schema: ObjectSchema, parts: readonly PartFields[]): MergedFields {
  const sources: Record<string, readonly TextSpan[]> = {};
  const fields: Record<string, unknown> = {};
  const confidences: Record<string, number> = {};
  for (const [name, field] of Object.entries(schema.properties)) {
    const found = parts.flatMap((part): Found[] => {
      const value = part.fields[name];
      const weight = Math.max(MIN_WEIGHT, part.confidences?.[name] ?? part.confidence ?? 1);
      return value === null || value === undefined ? [] : [{ part, value, at: name, weight }];
    });
    fields[name] = mergeValues(field, found, name, sources);
    const confidence = confidenceOf(field, name, found, fields[name]);
    if (confidence !== undefined) confidences[name] = confidence;
  }
  return { fields, ...(Object.keys(confidences).length === 0 ? {} : { confidences }), sources };
}

function mergeValues(
  schema: FieldSchema,
  found: readonly Found[],
  at: string,
  sources: Record<string, readonly TextSpan[]>,
): unknown {
  if (schema.type === 'array') return joinLists(schema.items, found, at, sources);
  if (found.length === 0) return null;
  if (schema.type === 'object') {
    const merged = Object.entries(schema.properties).map(([name, field]) => {
      const inner = found.flatMap((one): Found[] => {
        const value = isRecord(one.value) ? one.value[name] : undefined;
        return value === null || value === undefined ? [] : [{ ...one, value, at: `${one.at}.${name}` }];
      });
      return [name, mergeValues(field, inner, `${at}.${name}`, sources)] as const;
    });
    return Object.fromEntries(merged);
  }
  const winner = elect(found);
  for (const one of found) if (keyOf(one.value) === keyOf(winner)) copySources(schema, one, at, sources);
  return winner;
}

function elect(found: readonly Found[]): unknown {
  const votes = new Map<string, { readonly value: unknown; weight: number }>();
  for (const { value, weight } of found) {
    const vote = votes.get(keyOf(value));
    if (vote === undefined) votes.set(keyOf(value), { value, weight });
    else vote.weight += weight;
  }
  return [...votes.values()].reduce((best, vote) => (vote.weight > best.weight ? vote : best)).value;
}

/** Equal items of one part are several: only its neighbours see the same text. */
function joinLists(
  items: FieldSchema,
  found: readonly Found[],
  at: string,
  sources: Record<string, readonly TextSpan[]>,
): readonly unknown[] {
  const joined: unknown[] = [];
  const earlier = new Map<string, number>();
  for (const one of found) {
    const own: [string, number][] = [];
    for (const [index, value] of (Array.isArray(one.value) ? one.value : []).entries()) {
      const key = keyOf(value);
      const known = earlier.get(key);
      const position = known ?? joined.length;
      if (known === undefined) {
        joined.push(value);
        own.push([key, position]);
      }
      copySources(items, { ...one, value, at: `${one.at}[${index}]` }, `${at}[${position}]`, sources);
    }
    for (const [key, position] of own) if (!earlier.has(key)) earlier.set(key, position);
  }
  return joined;
}

function copySources(
  schema: FieldSchema,
  { part, value, at: from }: Found,
  to: string,
  sources: Record<string, readonly TextSpan[]>,
): void {
  for (const leaf of leavesOf(schema, value, '', from)) {
    const spans = part.sources[leaf.at] ?? [];
    const path = `${to}${leaf.at.slice(from.length)}`;
    const known = sources[path] ?? [];
    const added = spans.filter(({ start, end }) => !known.some((one) => one.start === start && one.end === end));
    if (known.length + added.length > 0) sources[path] = [...known, ...added];
  }
}

/** Of a single value, the share of the votes that is sure of it; of lists and objects, what the least sure part says. */
function confidenceOf(schema: FieldSchema, name: string, found: readonly Found[], merged: unknown): number | undefined {
  const known = found.flatMap(({ part, value }) => {
    const confidence = part.confidences?.[name];
    return confidence === undefined ? [] : [{ value, confidence }];
  });
  if (known.length === 0 || known.length < found.length) return undefined;
  if (schema.type === 'object' || schema.type === 'array')
    return Math.min(...known.map(({ confidence }) => confidence));
  const agreeing = known.filter(({ value }) => keyOf(value) === keyOf(merged));
  return agreeing.reduce((sum, { confidence }) => sum + confidence, 0) / known.length;
}

/** Equal for values that differ in case and spacing only, in whatever order their fields stand. */
function keyOf(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner === 'string') return inner.normalize('NFKC').replace(/\s+/gu, ' ').trim().toLowerCase();
    if (!isRecord(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}
