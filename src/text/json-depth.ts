/** JSON of this depth is no metadata but an attack: writing it into a result row would overflow the stack. */
export const MAX_METADATA_DEPTH = 100;

/** Whether objects and arrays nest deeper than `levels`. */
export function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}
