import { isRecord } from '../../text/json-value.ts';
import type { FieldSchema, ObjectSchema, ScalarSchema } from '../../workflows/workflow.ts';
import { labelOf } from '../classify/read-label.ts';
import { keyOf } from '../parse-json-reply.ts';
import { FORMAT_FORMS, hasFormat } from './formats.ts';

export interface CheckedFields {
  /** All fields of the schema, what is missing as null; values of another type are converted where that is certain. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** `path what is wrong`. They quote nothing of the reply: a provider reads them that may not have written it. */
  readonly problems: readonly string[];
}

/**
 * Compares a reply's values with the schema, field by field.
 *
 * @param isPart of a longer document, which need not have any of the values
 */
export function checkFields(schema: ObjectSchema, value: unknown, isPart: boolean): CheckedFields {
  const problems: string[] = [];
  const fields = checkObject(schema, value, '', { isPart, problems });
  return { fields, problems };
}

interface Checking {
  readonly isPart: boolean;
  readonly problems: string[];
}

function checkObject(schema: ObjectSchema, value: unknown, at: string, checking: Checking): Record<string, unknown> {
  const object = isRecord(value) ? value : {};
  return Object.fromEntries(
    Object.entries(schema.properties).map(([name, field]) => {
      const path = at === '' ? name : `${at}.${name}`;
      const key = keyOf(object, name);
      const written = key === undefined ? null : object[key];
      if (written !== null) return [name, checkValue(field, written, path, checking)];
      if (checking.isPart) return [name, field.type === 'array' ? [] : null];
      const mayMiss = field.nullable === true || !schema.required.includes(name);
      if (!mayMiss) checking.problems.push(`${path} is missing`);
      return [name, null];
    }),
  );
}

function checkValue(field: FieldSchema, value: unknown, at: string, checking: Checking): unknown {
  if (field.type === 'object') {
    if (!isRecord(value)) checking.problems.push(`${at} is not an object`);
    return checkObject(field, value, at, checking);
  }
  if (field.type !== 'array') return checkScalar(field, value, at, checking.problems);
  if (!Array.isArray(value)) {
    checking.problems.push(`${at} is not a list`);
    return [];
  }
  const { minItems = 0, maxItems = Number.POSITIVE_INFINITY } = field;
  if (value.length > maxItems) checking.problems.push(`${at} has ${value.length} items; at most ${maxItems}`);
  if (value.length < minItems && !checking.isPart) {
    checking.problems.push(`${at} has ${value.length} items; at least ${minItems}`);
  }
  return value.map((item, index) => {
    if (item !== null) return checkValue(field.items, item, `${at}[${index}]`, checking);
    if (field.items.nullable !== true) checking.problems.push(`${at}[${index}] is missing`);
    return null;
  });
}

function checkScalar(field: ScalarSchema, written: unknown, at: string, problems: string[]): unknown {
  const value = converted(field, written);
  const wrong =
    value === undefined
      ? `is not ${field.type === 'integer' ? 'a whole number' : `a ${field.type}`}`
      : scalarProblem(field, value);
  if (wrong !== undefined) problems.push(`${at} ${wrong}`);
  return value ?? null;
}

/** The value in the field's type: a number that is written as text is one, and a listed value in other case is that one. */
function converted(field: ScalarSchema, written: unknown): string | number | boolean | undefined {
  const { type } = field;
  if (type === 'string') {
    if (typeof written !== 'string' && typeof written !== 'number' && typeof written !== 'boolean') return undefined;
    const text = String(written).toWellFormed();
    const listed = field.enum === undefined ? undefined : labelOf(text, field.enum.map(String));
    return listed ?? text;
  }
  if (type === 'boolean') {
    if (typeof written === 'boolean') return written;
    return written === 'true' ? true : written === 'false' ? false : undefined;
  }
  const isText = typeof written === 'string' && /^\s*-?\d+(?:\.\d+)?\s*$/.test(written);
  const number = isText ? Number(written) : written;
  if (typeof number !== 'number' || !Number.isFinite(number)) return undefined;
  return type === 'integer' && !Number.isInteger(number) ? undefined : number;
}

function scalarProblem(field: ScalarSchema, value: string | number | boolean): string | undefined {
  if (field.enum !== undefined && !field.enum.includes(value as string)) return 'is none of the listed values';
  if (typeof value === 'number') {
    if (field.minimum !== undefined && value < field.minimum) return `is under ${field.minimum}`;
    if (field.maximum !== undefined && value > field.maximum) return `is over ${field.maximum}`;
    return undefined;
  }
  return typeof value === 'string' ? textProblem(field, value) : undefined;
}

function textProblem({ format, pattern, minLength, maxLength }: ScalarSchema, value: string): string | undefined {
  const length = minLength === undefined && maxLength === undefined ? 0 : [...value].length;
  if (minLength !== undefined && length < minLength) return `has ${length} characters; at least ${minLength}`;
  if (maxLength !== undefined && length > maxLength) return `has ${length} characters; at most ${maxLength}`;
  if (format !== undefined && !hasFormat(value, format)) {
    const form = FORMAT_FORMS[format];
    return `has not the format ${format}${form === undefined ? '' : ` (${form})`}`;
  }
  if (pattern !== undefined && !new RegExp(pattern, 'u').test(value)) return `does not match ${pattern}`;
  return undefined;
}
