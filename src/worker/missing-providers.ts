import { LOCAL_MODEL_NAME, modelsOfTier, type Tier } from '../workflows/workflow.ts';

/**
 * The providers that a batch needs and this worker's config does not have. That is a condition of the worker, never of
 * a document: the batch waits for workers that have them.
 */
export function missingProviders(cascade: readonly Tier[], known: ReadonlyMap<string, unknown>): readonly string[] {
  const needed = cascade.flatMap(modelsOfTier).map(({ provider }) => provider);
  return [...new Set(needed)].filter((name) => name !== LOCAL_MODEL_NAME && !known.has(name)).toSorted();
}

/** One sentence for `status` and the log. */
export function describeMissing(missing: readonly string[], file: string | undefined): string {
  const names = missing.map((name) => JSON.stringify(name)).join(', ');
  return `its config (${file ?? 'the embedded defaults'}) has no provider ${names}`;
}

/** The providers of a private workflow that this worker's config does not declare local: nothing may be sent from here. */
export function notLocalProviders(cascade: readonly Tier[], local: ReadonlySet<string>): readonly string[] {
  const needed = cascade.flatMap(modelsOfTier).map(({ provider }) => provider);
  return [...new Set(needed)].filter((name) => name !== LOCAL_MODEL_NAME && !local.has(name)).toSorted();
}

/** One sentence for `status` and the log. */
export function describeNotLocal(names: readonly string[], file: string | undefined): string {
  const list = names.map((name) => JSON.stringify(name)).join(', ');
  return `the workflow is private, and its config (${file ?? 'the embedded defaults'}) does not declare ${list} local (dataPolicy: { location: local })`;
}
