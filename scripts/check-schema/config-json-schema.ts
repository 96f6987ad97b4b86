import { z } from 'zod';
import { configSchema } from '../../config/schema.ts';

type Node = { [key: string]: unknown };

/** Variables are filled in before the file is checked, so text with one passes every pattern. */
const VARIABLE = '\\$\\{[A-Za-z_]';
const BOUNDS = ['type', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'];

/** The JSON Schema (draft 2020-12) of the config file as people write it, before defaults and conversions. */
export function configJsonSchema(): Node {
  const written = z.toJSONSchema(configSchema, { io: 'input' }) as Node;
  // What a number may be stands behind the conversion from text, so only the schema of the result knows it.
  addBounds(written, z.toJSONSchema(configSchema, { io: 'output', unrepresentable: 'any' }) as Node);
  allowVariables(written);
  const { $schema, ...rest } = written;
  return { $schema, title: 'nightmill.yaml', description: 'The configuration of Nightmill.', ...rest };
}

function addBounds(written: unknown, read: unknown): void {
  if (!isNode(written) || !isNode(read)) return;
  const number = Array.isArray(written.anyOf) ? written.anyOf.find(isNumber) : undefined;
  if (number !== undefined && (read.type === 'number' || read.type === 'integer')) {
    for (const name of BOUNDS) if (read[name] !== undefined) number[name] = read[name];
    return;
  }
  for (const [key, value] of Object.entries(written)) addBounds(value, read[key]);
}

function allowVariables(node: unknown): void {
  if (!isNode(node)) return;
  if (typeof node.pattern === 'string') node.pattern = `(?:${node.pattern})|${VARIABLE}`;
  for (const [key, value] of Object.entries(node)) if (key !== 'propertyNames') allowVariables(value);
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null;
}

function isNumber(value: unknown): value is Node {
  return isNode(value) && value.type === 'number';
}
