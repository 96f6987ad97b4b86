import type { Tier } from '../../src/workflows/workflow.ts';
import type { RawConfig } from '../schema.ts';

/** A tier as the config has it. */
export type WrittenTier = RawConfig['workflows'][string]['cascade'][number];

/** A cascade in place of a workflow's own, to see how it would do; the workflow as it is; or why it cannot be. */
export type TriedCascade =
  | { readonly kind: 'cascade'; readonly cascade: readonly Tier[]; readonly written: readonly WrittenTier[] }
  | { readonly kind: 'own' }
  | { readonly kind: 'refused'; readonly reason: string };
