/** Field-wise precision and recall of extracted fields: a leaf is right where path and value are the same. */
export function fieldScores(wanted: unknown, got: unknown): Readonly<Record<string, number>> {
  const expected = leavesOf(wanted);
  const given = leavesOf(got);
  const right = [...given].filter(([path, value]) => expected.get(path) === value).length;
  return {
    fieldPrecision: given.size === 0 ? Number(expected.size === 0) : right / given.size,
    fieldRecall: expected.size === 0 ? 1 : right / expected.size,
  };
}

/** By path; empty values are no leaves, for a field that is not there is not said. Text is compared without its outer spaces. */
function leavesOf(value: unknown, path = '', leaves = new Map<string, string>()): Map<string, string> {
  if (value === null || value === undefined || value === '') return leaves;
  if (typeof value !== 'object') {
    leaves.set(path, JSON.stringify(typeof value === 'string' ? value.trim() : value));
    return leaves;
  }
  for (const [name, inner] of Object.entries(value)) leavesOf(inner, path === '' ? name : `${path}.${name}`, leaves);
  return leaves;
}
