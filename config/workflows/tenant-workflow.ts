import { NightmillError } from '../../src/errors.ts';
import type { WorkflowConfig } from '../config.ts';
import type { WrittenTier } from './tried-cascade.ts';

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

/** A workflow with a candidate's cascade. */
export interface CandidateWorkflow extends TenantWorkflow {
  /** The cascade as a config would have it; absent: the workflow as it is. */
  readonly written?: readonly WrittenTier[];
}

/**
 * A workflow with another cascade in place of its own, to see how that would do; by its own name as it is.
 *
 * @param text as {@link tryCascade} reads it
 * @throws {NightmillError} `usage`: there is no such model, or the workflow refuses it
 */
export function candidateWorkflow(workflow: WorkflowConfig, text: string): CandidateWorkflow {
  const tried = workflow.tryCascade?.(text) ?? { kind: 'refused', reason: 'it takes no candidates' };
  if (tried.kind === 'own') return { ...workflow, priority: 0 };
  if (tried.kind === 'refused') {
    throw new NightmillError('usage', `${text} cannot be a candidate for ${workflow.spec.name}: ${tried.reason}.`);
  }
  const { uncalibrated, madeWith, tenants, ...rest } = workflow;
  const { calibration, route, ...spec } = workflow.spec;
  return { ...rest, spec: { ...spec, cascade: tried.cascade }, priority: 0, written: tried.written };
}
