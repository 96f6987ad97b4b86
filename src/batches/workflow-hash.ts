import { createHash } from 'node:crypto';
import type { ModelSpec, Tier, WorkflowSpec } from '../workflows/workflow.ts';

/** sha256 of a workflow with its models and prices: equal hashes do and cost the same. */
export function workflowHash(workflow: WorkflowSpec): string {
  const { candidate, route } = workflow;
  const cascade = workflow.cascade.map(withoutPools);
  const other =
    candidate === undefined ? {} : { candidate: { ...candidate, cascade: candidate.cascade.map(withoutPools) } };
  const routed =
    route === undefined || route.by === 'rules' ? {} : { route: { ...route, tier: withoutPools(route.tier) } };
  return createHash('sha256')
    .update(JSON.stringify({ ...workflow, cascade, ...other, ...routed }))
    .digest('hex');
}

function withoutPools(tier: Tier) {
  return {
    ...tier,
    model: withoutPool(tier.model),
    ...(tier.hosts === undefined ? {} : { hosts: tier.hosts.map(withoutPool) }),
    ...(tier.fallbacks === undefined ? {} : { fallbacks: tier.fallbacks.map(withoutPool) }),
  };
}

/** A quota says how fast a model may be asked, not what it does. */
function withoutPool({ pool: _, ...model }: ModelSpec): Omit<ModelSpec, 'pool'> {
  return model;
}
