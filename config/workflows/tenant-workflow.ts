import type { WorkflowConfig } from '../config.ts';

export interface TenantWorkflow extends WorkflowConfig {
  /** Which plan it is; absent: the workflow's own. */
  readonly plan?: string;
  /** Of its batches where none is stated. */
  readonly priority: number;
}

/** A workflow as it is for a tenant. */
export function workflowFor(workflow: WorkflowConfig, tenant: string | undefined): TenantWorkflow {
  const own = tenant === undefined ? undefined : workflow.tenants?.get(tenant);
  if (own === undefined) return { ...workflow, priority: 0 };
  const { uncalibrated, madeWith, ...rest } = workflow;
  const { plan, spec, budget, priority = 0 } = own;
  // A cascade of the tenant's own has its thresholds in the config: no calibration is missing.
  return {
    ...(spec === undefined ? workflow : { ...rest, spec }),
    plan,
    priority,
    budget: { ...workflow.budget, ...budget },
  };
}
