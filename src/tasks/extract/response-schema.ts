import { countTokens } from '../../text/tokens.ts';
import type { FieldSchema, ObjectSchema, ScalarSchema } from '../../workflows/workflow.ts';
import { FORMAT_FORMS } from './formats.ts';

type JsonSchema = Readonly<Record<string, unknown>>;

/** Tokens of values whose length the schema does not tell. */
const TEXT_TOKENS = 48;
const NUMBER_TOKENS = 10;
const OTHER_TOKENS = 3;
const MAX_ITEMS = 16;
const CHARACTERS_PER_TOKEN = 2;
/** `{"fields": …, "confidence": 0.87}` and the white space that servers put into it. */
const FRAME_TOKENS = 48;

/**
 * The schema of a reply, as strict servers want it: objects are closed and have all their fields, and what may be missing may be
 * null. Bounds stand in descriptions, because not every server knows their keywords; replies are checked for them here.
 *
 * @param isPart of a longer document, which need not have any of the values
 */
export function replySchema(fields: ObjectSchema, isPart: boolean): JsonSchema {
  return {
    type: 'object',
    properties: { fields: fieldSchema(fields, false, isPart), confidence: { type: 'number' } },
    required: ['fields', 'confidence'],
    additionalProperties: false,
  };
}

function fieldSchema(field: FieldSchema, isOptional: boolean, isPart: boolean): JsonSchema {
  const type = isOptional || field.nullable === true ? [field.type, 'null'] : field.type;
  const description = describe(field, isPart);
  const base = { type, ...(description === '' ? {} : { description }) };
  if (field.type === 'object') {
    const properties = Object.entries(field.properties).map(([name, inner]) => {
      // A part with no items has an empty list.
      const mayMiss = !field.required.includes(name) || (isPart && inner.type !== 'array');
      return [name, fieldSchema(inner, mayMiss, isPart)];
    });
    return {
      ...base,
      properties: Object.fromEntries(properties),
      required: Object.keys(field.properties),
      additionalProperties: false,
    };
  }
  if (field.type === 'array') return { ...base, items: fieldSchema(field.items, false, isPart) };
  if (field.enum === undefined) return base;
  return { ...base, enum: Array.isArray(type) ? [...field.enum, null] : field.enum };
}

function describe(field: FieldSchema, isPart: boolean): string {
  return [field.description ?? '', ...bounds(field, isPart)].filter((text) => text !== '').join('; ');
}

function bounds(field: FieldSchema, isPart: boolean): readonly string[] {
  if (field.type === 'object') return [];
  if (field.type === 'array') {
    return [atLeast('items', isPart ? undefined : field.minItems), atMost('items', field.maxItems)];
  }
  const { format, pattern, minLength, maxLength, minimum, maximum } = field;
  const form = format === undefined ? undefined : FORMAT_FORMS[format];
  return [
    format === undefined ? '' : `format ${format}${form === undefined ? '' : ` (${form})`}`,
    pattern === undefined ? '' : `matches ${pattern}`,
    atLeast('characters', minLength),
    atMost('characters', maxLength),
    minimum === undefined ? '' : `from ${minimum} on`,
    maximum === undefined ? '' : `up to ${maximum}`,
  ];
}

const atLeast = (what: string, count: number | undefined) => (count === undefined ? '' : `at least ${count} ${what}`);
const atMost = (what: string, count: number | undefined) => (count === undefined ? '' : `at most ${count} ${what}`);

/** Tokens that a good reply has at most, about: a longer one is asked for again with a raised cap. */
export function replyTokens(fields: ObjectSchema): number {
  return FRAME_TOKENS + fieldTokens(fields);
}

function fieldTokens(field: FieldSchema): number {
  if (field.type === 'object') {
    return Object.entries(field.properties).reduce(
      (sum, [name, inner]) => sum + countTokens(JSON.stringify(name)) + 3 + fieldTokens(inner),
      2,
    );
  }
  if (field.type === 'array')
    return 2 + Math.min(field.maxItems ?? MAX_ITEMS, MAX_ITEMS) * (fieldTokens(field.items) + 1);
  return scalarTokens(field);
}

function scalarTokens({ type, enum: values, maxLength }: ScalarSchema): number {
  if (values !== undefined) return Math.max(OTHER_TOKENS, ...values.map((value) => countTokens(JSON.stringify(value))));
  if (type === 'boolean') return OTHER_TOKENS;
  if (type !== 'string') return NUMBER_TOKENS;
  return maxLength === undefined ? TEXT_TOKENS : Math.ceil(maxLength / CHARACTERS_PER_TOKEN) + 2;
}
