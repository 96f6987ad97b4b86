import { isRecord } from '../text/json-value.ts';
import { ProviderError } from './provider-error.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * What strict structured output asks of a schema: the root is an object, every object closes itself with
 * `additionalProperties: false` and requires all of its properties.
 *
 * @throws {ProviderError} 400 `invalid_json_schema`
 */
export function checkStrictSchema(name: string, schema: JsonSchema): void {
  if (schema.type !== 'object')
    throw wrong(name, '', `schema must be of type 'object', got ${JSON.stringify(schema.type)}`);
  checkNode(name, '', schema);
}

function checkNode(name: string, context: string, node: unknown): void {
  if (!isRecord(node)) return;
  if (isRecord(node.properties)) {
    if (node.additionalProperties !== false) {
      throw wrong(name, context, "'additionalProperties' is required to be supplied and to be false");
    }
    const required: readonly unknown[] = Array.isArray(node.required) ? node.required : [];
    for (const [key, property] of Object.entries(node.properties)) {
      if (!required.includes(key)) {
        throw wrong(name, context, `'required' must include every key in properties. Missing '${key}'`);
      }
      checkNode(name, `${context}.${key}`, property);
    }
  }
  checkNode(name, `${context}.items`, node.items);
  const nested = [node.anyOf, node.oneOf, isRecord(node.$defs) ? Object.values(node.$defs) : undefined];
  for (const branch of nested.flat()) checkNode(name, context, branch);
}

function wrong(name: string, context: string, reason: string): ProviderError {
  return new ProviderError(
    400,
    `Invalid schema for response_format '${name}': In context=(${context.replace(/^\./, '')}), ${reason}.`,
    { param: 'response_format', code: 'invalid_json_schema' },
  );
}
