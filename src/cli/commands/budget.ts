import type { Command } from 'commander';
import type { App } from '../../app.ts';
import { closePassedBreakers } from '../../budgets/housekeeping.ts';
import { NightmillError } from '../../errors.ts';
import type { ScopeTotals } from '../../ledger/ledger.ts';
import { batchScope, isScopeName, type Scope, scopesOf } from '../../ledger/scope.ts';
import { formatUsd, nanoToDecimal } from '../../money/money.ts';
import { batchTimezones } from '../batch-timezones.ts';
import { cancelBatch } from '../cancel-batch.ts';
import { readBudget } from '../submit-inputs.ts';
import { unknownBatch } from '../wait-for-batch.ts';
import { type GlobalOptions, print, withApp } from '../with-app.ts';

const SCOPE_HELP = 'batch:ID, workflow:NAME/day, workflow:NAME/month, tenant:NAME/day, global/day or global/month';

export function addBudgetCommand(program: Command): void {
  const budget = program.command('budget').description('limits and what is spent and held of them, by scope');
  const show = budget
    .command('show')
    .description('every scope with its limit, in its present period')
    .action(async () => {
      await withApp(show, showBudgets);
    });
  const set = budget
    .command('set')
    .description('raise or lower a limit while work runs; what paused because of it goes on when it is raised')
    .argument('<scope>', SCOPE_HELP)
    .argument('<usd>', 'dollars, at most nine decimals; none: take away what was set, so that the config counts')
    .action(async (scope: string, usd: string) => {
      await withApp(set, (app, options) => setBudget(app, options, scope, usd));
    });
  const discard = budget
    .command('discard')
    .description('give up the work that a limit has paused: its batches end, what is done and paid for is kept')
    .argument('<scope>', SCOPE_HELP)
    .action(async (scope: string) => {
      await withApp(discard, (app, options) => discardHeld(app, options, scope));
    });
}

interface ScopeLine extends ScopeTotals {
  readonly scope: Scope;
}

async function showBudgets(app: App, options: GlobalOptions): Promise<void> {
  const scopes = await presentScopes(app);
  const lines: ScopeLine[] = await Promise.all(
    scopes.map(async (scope) => ({ scope, ...(await app.ledger.totals(scope)) })),
  );
  const usd = (nano: number) => JSON.rawJSON(nanoToDecimal(nano));
  print(
    options,
    lines.map(({ scope, limit, settled, uncertain, held }) => ({
      scope: scope.name,
      period: scope.period === '' ? null : scope.period,
      limitUsd: limit === undefined ? null : usd(limit),
      spentUsd: usd(settled + uncertain),
      uncertainUsd: usd(uncertain),
      heldUsd: usd(held),
    })),
    () => {
      const width = Math.max(...lines.map(({ scope }) => scope.name.length), 5);
      const rows = lines.map(({ scope, limit, settled, uncertain, held }) => {
        const share =
          limit === undefined || limit === 0 ? '' : `  ${Math.round(((settled + uncertain) * 100) / limit)} %`;
        return `${scope.name.padEnd(width)}  ${scope.period.padEnd(10)}  ${formatUsd(settled + uncertain).padStart(12)}  ${formatUsd(held).padStart(12)}  ${(limit === undefined ? 'none' : formatUsd(limit)).padStart(12)}${share}`;
      });
      return `${['scope'.padEnd(width), 'period    ', 'spent'.padStart(12), 'held'.padStart(12), 'limit'.padStart(12)].join('  ')}\n${rows.join('\n')}\n`;
    },
  );
}

/** The scopes of the config in their present periods, and the batches that have not ended. */
async function presentScopes(app: App): Promise<readonly Scope[]> {
  const now = app.clock.now();
  const open = await app.batches.listOpen();
  const names = new Set([...app.config.workflows.keys(), ...open.map((batch) => batch.workflow)]);
  const scopes = [...names].flatMap((workflow) =>
    scopesOf({ batchId: '', workflow }, now, batchTimezones(app.config, workflow)).slice(1),
  );
  const tenants = new Set([
    ...app.config.tenants.keys(),
    ...open.flatMap(({ tenant }) => (tenant === undefined ? [] : [tenant])),
  ]);
  for (const tenant of tenants) {
    const own = scopesOf({ batchId: '', workflow: '', tenant }, now, { workflow: 'UTC', global: app.config.timezone });
    scopes.push(...own.filter(({ name }) => name.startsWith('tenant:')));
  }
  scopes.push(...open.map((batch) => batchScope(batch.batchId)));
  return [...new Map(scopes.map((scope) => [scope.name, scope])).values()];
}

async function setBudget(app: App, options: GlobalOptions, scope: string, text: string): Promise<void> {
  await requireScope(app, scope);
  if (text === 'none') await app.ledger.clearLimit(scope);
  else await app.ledger.setLimit(scope, readBudget(text) ?? 0);
  await closePassedBreakers(app.housekeeping, await app.batches.listOpen());
  const limit = await app.ledger.limit(scope);
  print(
    options,
    { scope, limitUsd: limit === undefined ? null : JSON.rawJSON(nanoToDecimal(limit)) },
    () => `${scope}  ${limit === undefined ? 'no limit' : `limit ${formatUsd(limit)}`}\n`,
  );
}

async function discardHeld(app: App, options: GlobalOptions, scope: string): Promise<void> {
  await requireScope(app, scope);
  const ended: string[] = [];
  await app.lease.start();
  try {
    for (const batch of await app.batches.listOpen()) {
      const hold = batch.parked ?? (await app.holds.get(batch.workflow));
      if (hold?.cause !== 'budget' || hold.scope !== scope) continue;
      await cancelBatch(app, batch);
      ended.push(batch.batchId);
    }
  } finally {
    await app.lease.stop();
  }
  print(options, { scope, cancelled: ended }, () =>
    ended.length === 0
      ? `${scope} holds no batch\n`
      : `${ended.join(', ')}  cancelled; nightmill results ID -o FOLDER has what was done\n`,
  );
}

async function requireScope(app: App, scope: string): Promise<void> {
  if (!isScopeName(scope)) {
    throw new NightmillError('usage', `There is no scope ${JSON.stringify(scope)}: use ${SCOPE_HELP}.`);
  }
  const batchId = /^batch:(.+)$/.exec(scope)?.[1];
  if (batchId !== undefined && (await app.batches.get(batchId)) === undefined) throw unknownBatch(batchId);
}
