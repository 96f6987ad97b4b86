/**
 * A function that works its value out once for each workflow and key: prompts and schemas are the same for every document,
 * and a workflow is one object as long as its batch is worked on.
 */
export function perWorkflow<W extends object, K extends string, T>(
  build: (workflow: W, key: K) => T,
): (workflow: W, key: K) => T {
  const built = new WeakMap<W, Map<K, T>>();
  return (workflow, key) => {
    let values = built.get(workflow);
    if (values === undefined) {
      values = new Map();
      built.set(workflow, values);
    }
    let value = values.get(key);
    if (value === undefined) {
      value = build(workflow, key);
      values.set(key, value);
    }
    return value;
  };
}
