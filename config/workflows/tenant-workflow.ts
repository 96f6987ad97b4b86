import { NightmillError } from '../../src/errors.ts';
import { knownNames } from '../../src/text/known-names.ts';
import type { Config, WorkflowConfig } from '../config.ts';

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

/**
 * A workflow with one model in place of its cascade, to see how that would do.
 *
 * @throws {NightmillError} `usage`: there is no such model, or the workflow refuses it
 */
export function candidateWorkflow(
  { models }: Pick<Config, 'models'>,
  workflow: WorkflowConfig,
  name: string,
): TenantWorkflow {
  const model = models.get(name);
  if (model === undefined) {
    throw new NightmillError(
      'usage',
      `There is no model ${JSON.stringify(name)} that could be a candidate; ${knownNames([...models.keys()])}`,
    );
  }
  const reason = workflow.refused?.get(name);
  if (reason !== undefined) {
    throw new NightmillError('usage', `${name} cannot be a candidate for ${workflow.spec.name}: ${reason}.`);
  }
  const { uncalibrated, madeWith, tenants, ...rest } = workflow;
  const { calibration, route, ...spec } = workflow.spec;
  return { ...rest, spec: { ...spec, cascade: [{ model }] }, priority: 0 };
}
