import type { App } from '../../app.ts';
import { parseScope } from '../../ledger/scope.ts';
import type { Sample } from '../../measures/exposition.ts';
import { OTHER } from '../../measures/top-names.ts';
import { NANO_PER_USD } from '../../money/money.ts';
import { queuesOf } from '../../workflows/model-workflow.ts';
import { listBudgets, type ScopeBudget } from '../budgets.ts';
import { readCluster } from '../cluster-view.ts';
import { foundQuotas } from '../read-status.ts';
import { workersWanted } from '../workers-wanted.ts';

/** Tenants with figures of their own: those that have spent most in the present day. */
const TENANTS_SHOWN = 20;
const CAUSES = ['budget', 'provider', 'operator'] as const;

/** What the whole cluster is doing, as of now. Batches and documents have no figures of their own: there is no end of them. */
export async function readClusterSamples(app: App): Promise<readonly Sample[]> {
  const [queues, pauses, budgets, quotas] = await Promise.all([
    queueSamples(app),
    pauseSamples(app),
    listBudgets(app),
    quotaSamples(app),
  ]);
  return [...queues, ...pauses, ...budgetSamples(budgets), ...quotas];
}

async function queueSamples(app: App): Promise<readonly Sample[]> {
  const [{ workers, queues }, wanted, open] = await Promise.all([
    readCluster(app),
    workersWanted(app),
    app.batches.listOpen(),
  ]);
  const now = app.clock.now();
  return [
    { name: 'nightmill_workers', labels: [], value: workers.length },
    { name: 'nightmill_workers_wanted', labels: [], value: wanted },
    ...queues.flatMap(({ workflow, slices, oldestAt }): readonly Sample[] => [
      { name: 'nightmill_queue_slices', labels: [workflow], value: slices },
      {
        name: 'nightmill_queue_oldest_seconds',
        labels: [workflow],
        value: oldestAt === undefined ? 0 : Math.max(0, Math.round((now - oldestAt) / 1_000)),
      },
      {
        name: 'nightmill_open_batches',
        labels: [workflow],
        value: open.filter((batch) => batch.workflow === workflow).length,
      },
    ]),
  ];
}

async function pauseSamples(app: App): Promise<readonly Sample[]> {
  const samples = queuesOf(app.config).map(async (workflow): Promise<readonly Sample[]> => {
    const causes = new Set((await app.pauses.all(workflow)).map(({ cause }) => cause));
    return CAUSES.map((cause) => ({
      name: 'nightmill_paused',
      labels: [workflow, cause],
      value: causes.has(cause) ? 1 : 0,
    }));
  });
  return (await Promise.all(samples)).flat();
}

/** Of workflows, of all together and of the largest tenants; what the other tenants have is one figure. */
export function budgetSamples(budgets: readonly ScopeBudget[]): readonly Sample[] {
  const kindOf = ({ scope }: ScopeBudget) => parseScope(scope.name)?.kind;
  const tenants = budgets.filter((budget) => kindOf(budget) === 'tenant');
  const spent = ({ settled, uncertain }: ScopeBudget) => settled + uncertain;
  const largest = tenants.toSorted((a, b) => spent(b) - spent(a));
  const rest = largest.slice(TENANTS_SHOWN);
  const shown = [
    ...budgets.filter((budget) => kindOf(budget) === 'workflow' || kindOf(budget) === 'global'),
    ...largest.slice(0, TENANTS_SHOWN),
    ...(rest.length === 0 ? [] : [sumOf(rest)]),
  ];
  return shown.flatMap(({ scope, settled, uncertain, held, limit }): readonly Sample[] => [
    { name: 'nightmill_budget_spent_dollars', labels: [scope.name], value: (settled + uncertain) / NANO_PER_USD },
    { name: 'nightmill_budget_held_dollars', labels: [scope.name], value: held / NANO_PER_USD },
    { name: 'nightmill_budget_uncertain_dollars', labels: [scope.name], value: uncertain / NANO_PER_USD },
    ...(limit === undefined
      ? []
      : [{ name: 'nightmill_budget_limit_dollars', labels: [scope.name], value: limit / NANO_PER_USD } as const]),
  ]);
}

function sumOf(budgets: readonly ScopeBudget[]): ScopeBudget {
  const sum = (amount: (budget: ScopeBudget) => number) => budgets.reduce((total, each) => total + amount(each), 0);
  return {
    scope: { name: `tenant:${OTHER}/day`, period: '' },
    settled: sum(({ settled }) => settled),
    uncertain: sum(({ uncertain }) => uncertain),
    held: sum(({ held }) => held),
  };
}

async function quotaSamples(app: App): Promise<readonly Sample[]> {
  const found = new Map((await foundQuotas(app, app.config.pools.keys())).map(({ pool, ...quota }) => [pool, quota]));
  return [...app.config.pools].flatMap(([pool, limits]) => {
    const known = { ...found.get(pool)?.found, ...found.get(pool)?.told, ...limits };
    return Object.entries(known).flatMap(([dimension, value]): readonly Sample[] =>
      typeof value === 'number' ? [{ name: 'nightmill_quota_limit', labels: [pool, dimension], value }] : [],
    );
  });
}
