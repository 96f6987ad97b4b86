import { describeLackOfRoom } from '../../src/tasks/room-for-documents.ts';
import { knownNames } from '../../src/text/known-names.ts';
import { withoutUndefined } from '../../src/text/without-undefined.ts';
import type { WorkflowSpec } from '../../src/workflows/workflow.ts';
import type { Config, TenantConfig } from '../config.ts';
import type { RawConfig } from '../schema.ts';
import { type CascadeContext, resolveCascade } from './resolve-cascade.ts';
import { checkStarts } from './resolve-route.ts';

type RawWorkflow = RawConfig['workflows'][string];
type RawPlan = RawWorkflow['plans'][string];

/**
 * What the tenants of a workflow get in place of its own, by tenant. Plans are checked also where no tenant has them.
 *
 * @param at path of the workflow
 * @param spec the workflow with its own cascade
 */
export function resolveTenants(
  raw: RawWorkflow,
  at: string,
  spec: WorkflowSpec,
  context: CascadeContext,
): ReadonlyMap<string, TenantConfig> {
  const plans = new Map(
    Object.entries(raw.plans).map(([name, plan]) => [
      name,
      resolvePlan(raw, plan, { name, at: `${at}.plans.${name}`, spec }, context),
    ]),
  );
  return new Map(
    Object.entries(raw.tenants).map(([name, tenant]) => {
      const path = `${at}.tenants.${name}`;
      const plan = tenant.plan === undefined ? undefined : plans.get(tenant.plan);
      if (tenant.plan !== undefined && plan === undefined) {
        const known = knownNames([...plans.keys()]);
        context.problems.push(`${path}.plan: there is no plan ${JSON.stringify(tenant.plan)}; ${known}`);
      }
      const own = resolvePlan(raw, tenant, { name, at: path, spec }, context);
      return [name, { ...plan, ...own, plan: plan?.plan ?? name, budget: { ...plan?.budget, ...own.budget } }];
    }),
  );
}

function resolvePlan(
  raw: RawWorkflow,
  { cascade, budget, priority }: RawPlan,
  { name, at, spec }: { readonly name: string; readonly at: string; readonly spec: WorkflowSpec },
  context: CascadeContext,
): TenantConfig {
  const own = cascade === undefined ? undefined : { ...spec, cascade: ownCascade({ ...raw, cascade }, at, context) };
  if (own !== undefined) {
    checkRoom(own, at, context.problems);
    if (spec.route !== undefined) checkStarts(spec.route, own.cascade, `${at}.route`, context.problems);
  }
  return {
    plan: name,
    ...(own === undefined ? {} : { spec: own }),
    budget: withoutUndefined(budget),
    ...(priority === undefined ? {} : { priority }),
  };
}

/** Refuses a prompt that leaves no room for a document in the smallest window of the cascade. */
export function checkRoom(spec: WorkflowSpec, at: string, problems: string[]): void {
  const lack = spec.cascade.length === 0 ? undefined : describeLackOfRoom(spec);
  if (lack !== undefined) problems.push(`${at}: ${lack}`);
}

/** As the workflow's own cascade is read; what else is wrong with the workflow is said once, at the workflow. */
function ownCascade(raw: RawWorkflow, at: string, context: CascadeContext): WorkflowSpec['cascade'] {
  const problems: string[] = [];
  const cascade = resolveCascade(raw, at, { ...context, problems });
  context.problems.push(...problems.filter((problem) => problem.startsWith(`${at}.cascade`)));
  for (const [index, { acceptAt }] of raw.cascade.entries()) {
    if (acceptAt !== 'calibrated') continue;
    context.problems.push(
      `${at}.cascade.${index}.acceptAt: a calibration is of the workflow's own cascade; write the threshold, a number from 0 to 1`,
    );
  }
  return cascade;
}

/** Every tenant that the config names, here or in a workflow, with its limits over all workflows. */
export function tenantsOf({ tenants, workflows }: RawConfig): Config['tenants'] {
  const named = Object.values(workflows).flatMap((workflow) => Object.keys(workflow.tenants));
  return new Map([
    ...named.map((name) => [name, {}] as const),
    ...Object.entries(tenants).map(([name, tenant]) => [name, withoutUndefined(tenant.budget)] as const),
  ]);
}
