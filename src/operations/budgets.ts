import { batchTimezones } from '../../config/config.ts';
import { configLimits } from '../../config/limits.ts';
import type { App } from '../app.ts';
import { closePassedBreakers } from '../budgets/housekeeping.ts';
import { NightmillError } from '../errors.ts';
import type { ScopeTotals } from '../ledger/ledger.ts';
import { batchScope, parseScope, type Scope, scopesOf } from '../ledger/scope.ts';
import { formatUsd, type NanoUsd } from '../money/money.ts';
import { queuesOf } from '../workflows/model-workflow.ts';
import { writeAudit } from './audit.ts';
import { endNow } from './end-batches.ts';
import { requireBatch } from './read-status.ts';

export const SCOPE_HELP =
  'batch:ID, workflow:NAME/day, workflow:NAME/month, tenant:NAME/day, global/day or global/month';

/** A scope in its present period, in nano-dollars. */
export interface ScopeBudget extends ScopeTotals {
  readonly scope: Scope;
}

/** Every scope of the config in its present period, and the batches that have not ended. */
export async function listBudgets(app: App): Promise<readonly ScopeBudget[]> {
  const scopes = await presentScopes(app);
  const budgets = await Promise.all(scopes.map(async (scope) => ({ scope, ...(await app.ledger.totals(scope)) })));
  return budgets.filter((budget) => isShown(app, budget));
}

/** Built-in workflows and requests to models are shown where they have something to show: most clusters use neither. */
function isShown({ config }: App, { scope, settled, uncertain, held, limit }: ScopeBudget): boolean {
  const parts = parseScope(scope.name);
  const isConfigured = parts?.kind !== 'workflow' || config.workflows.has(parts.name);
  return isConfigured || settled + uncertain + held > 0 || limit !== undefined;
}

/** Every scope of the config, of open batches and of their tenants, each in its present period. */
export async function presentScopes(app: App): Promise<readonly Scope[]> {
  const now = app.clock.now();
  const open = await app.batches.listOpen();
  const names = new Set([...queuesOf(app.config), ...open.map((batch) => batch.workflow)]);
  const scopes = [...names].flatMap((workflow) =>
    scopesOf({ batchId: '', workflow }, now, batchTimezones(app.config, workflow)).slice(1),
  );
  const tenants = new Set([
    ...app.config.tenants.keys(),
    ...open.flatMap(({ tenant }) => (tenant === undefined ? [] : [tenant])),
  ]);
  for (const tenant of tenants) {
    const own = scopesOf({ batchId: '', workflow: '', tenant }, now, { workflow: 'UTC', global: app.config.timezone });
    scopes.push(...own.filter(({ name }) => parseScope(name)?.kind === 'tenant'));
  }
  scopes.push(...open.map((batch) => batchScope(batch.batchId)));
  return [...new Map(scopes.map((scope) => [scope.name, scope])).values()];
}

export interface LimitChange {
  readonly scope: string;
  /** Undefined: no limit. */
  readonly before: NanoUsd | undefined;
  readonly limit: NanoUsd | undefined;
  /** Spent of it in its present period; undefined where that is not known. */
  readonly spent: NanoUsd | undefined;
}

/**
 * Sets the limit of a scope; what paused because of it continues where it is raised.
 *
 * @param limit undefined: take away what was set, so that the config counts
 * @throws {NightmillError} `scope_unknown`, `batch_unknown`
 */
export async function setBudget(app: App, scope: string, limit: NanoUsd | undefined): Promise<LimitChange> {
  await requireScope(app, scope);
  const before = await app.ledger.limit(scope);
  if (limit === undefined) await app.ledger.clearLimit(scope);
  else await app.ledger.setLimit(scope, limit);
  await closePassedBreakers(app.housekeeping, await app.batches.listOpen());
  const inForce = await app.ledger.limit(scope);
  await writeAudit(app, 'budget:set', scope, limitText(before), limitText(inForce));
  const present = (await listBudgets(app)).find((budget) => budget.scope.name === scope);
  return {
    scope,
    before,
    limit: inForce,
    spent: present === undefined ? undefined : present.settled + present.uncertain,
  };
}

/**
 * Gives up the work that a limit has paused: its batches end, and what is done and paid for is kept.
 *
 * @returns the ids of the batches that were ended
 * @throws {NightmillError} `scope_unknown`, `batch_unknown`
 */
export async function discardPaused(app: App, scope: string): Promise<readonly string[]> {
  await requireScope(app, scope);
  const held = [];
  for (const batch of await app.batches.listOpen()) {
    const pauses = [...batch.pauses, ...(await app.pauses.all(batch.workflow))];
    if (pauses.some((pause) => pause.cause === 'budget' && pause.scope === scope)) held.push(batch);
  }
  await endNow(app, held, 'cancelled');
  await writeAudit(app, 'budget:discard', scope, undefined, held.map(({ batchId }) => batchId).join(' '));
  return held.map(({ batchId }) => batchId);
}

export interface AppliedLimit {
  readonly scope: string;
  readonly wanted: NanoUsd | undefined;
  readonly inForce: NanoUsd | undefined;
  readonly changed: boolean;
}

/** Makes the config's limits the cluster's; those that a person has set stay in force. */
export async function applyLimits(app: App): Promise<readonly AppliedLimit[]> {
  const limits = configLimits(app.config);
  const changed = await app.ledger.applyConfigLimits(limits, 'replace');
  if (changed.length > 0) {
    await writeAudit(app, 'limits:apply', app.config.file ?? 'the embedded defaults', undefined, changed.join(' '));
  }
  return await Promise.all(
    [...limits].map(async ([scope, wanted]) => ({
      scope,
      wanted,
      inForce: await app.ledger.limit(scope),
      changed: changed.includes(scope),
    })),
  );
}

function limitText(limit: NanoUsd | undefined): string {
  return limit === undefined ? 'none' : formatUsd(limit);
}

async function requireScope(app: App, scope: string): Promise<void> {
  const parts = parseScope(scope);
  if (parts === undefined) {
    throw new NightmillError('scope_unknown', `There is no scope ${JSON.stringify(scope)}: use ${SCOPE_HELP}.`);
  }
  if (parts.kind === 'batch') await requireBatch(app, parts.name);
}
