import { createHash } from 'node:crypto';
import type { ModelSpec, WorkflowSpec } from '../workflows/workflow.ts';

/** sha256 of a workflow with its models and prices: equal hashes do and cost the same. */
export function workflowHash(workflow: WorkflowSpec): string {
  const cascade = workflow.cascade.map((tier) => ({
    ...tier,
    model: withoutPool(tier.model),
    ...(tier.hosts === undefined ? {} : { hosts: tier.hosts.map(withoutPool) }),
    ...(tier.fallbacks === undefined ? {} : { fallbacks: tier.fallbacks.map(withoutPool) }),
  }));
  return createHash('sha256')
    .update(JSON.stringify({ ...workflow, cascade }))
    .digest('hex');
}

/** A quota says how fast a model may be asked, not what it does. */
function withoutPool({ pool: _, ...model }: ModelSpec): Omit<ModelSpec, 'pool'> {
  return model;
}
