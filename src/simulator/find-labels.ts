import { isRecord } from '../text/json-value.ts';

/** The values of the first string enum in a JSON schema, or undefined where it asks for no label. */
export function findLabels(schema: unknown): readonly string[] | undefined {
  if (Array.isArray(schema)) return firstFound(schema);
  if (!isRecord(schema)) return undefined;
  if (Array.isArray(schema.enum)) return schema.enum.filter((value) => typeof value === 'string');
  const branches = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(branches)) {
    const constants = branches.map((branch) => (isRecord(branch) ? branch.const : undefined));
    if (constants.every((value) => typeof value === 'string')) return constants;
  }
  return firstFound(Object.values(schema));
}

function firstFound(nodes: readonly unknown[]): readonly string[] | undefined {
  for (const node of nodes) {
    const labels = findLabels(node);
    if (labels !== undefined && labels.length > 0) return labels;
  }
  return undefined;
}
