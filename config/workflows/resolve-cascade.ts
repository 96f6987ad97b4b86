import type { Tier } from '../../src/workflows/workflow.ts';
import { checkDataPolicy } from '../check-data-policy.ts';
import { checkTask } from '../schema/check-task.ts';
import type { RawConfig } from '../schema.ts';
import { resolveTier, type TierContext } from './resolve-tier.ts';

export interface CascadeContext extends TierContext {
  readonly raw: RawConfig;
}

/**
 * The tiers of a workflow, held to its task and to what it requires of providers.
 *
 * @param at the path of what has the cascade, such as `workflows.triage`
 */
export function resolveCascade(
  raw: RawConfig['workflows'][string],
  at: string,
  context: CascadeContext,
): readonly Tier[] {
  const { problems } = context;
  const pathOf = (index: number) => `${at}.cascade.${index}`;
  const cascade = raw.cascade.flatMap((tier, index) => resolveTier(tier, pathOf(index), context) ?? []);
  checkTask(raw, cascade, at, problems);
  checkDataPolicy(cascade, raw, context.raw, pathOf, problems);
  return cascade;
}
