import type { Command } from 'commander';
import type { App } from '../../app.ts';
import { formatUsd, usdJson } from '../../money/money.ts';
import {
  discardPaused,
  type LimitChange,
  listBudgets,
  SCOPE_HELP,
  type ScopeBudget,
  setBudget,
} from '../../operations/budgets.ts';
import { readBudget } from '../../operations/submit-values.ts';
import { type GlobalOptions, print, withApp } from '../with-app.ts';

export function addBudgetCommand(program: Command): void {
  const budget = program.command('budget').description('limits and what is spent and held of them, by scope');
  const show = budget
    .command('show')
    .description('every scope with its limit, in its present period')
    .action(async () => {
      await withApp(show, async (app, options) => {
        const budgets = await listBudgets(app);
        print(options, budgets.map(budgetJson), () => budgetTable(budgets));
      });
    });
  const set = budget
    .command('set')
    .description('raise or lower a limit while work runs; what paused because of it continues when it is raised')
    .argument('<scope>', SCOPE_HELP)
    .argument('<usd>', 'dollars, at most nine decimals; none: take away what was set, so that the config counts')
    .action(async (scope: string, usd: string) => {
      await withApp(set, (app, options) => setLimit(app, options, scope, usd));
    });
  const discard = budget
    .command('discard')
    .description('give up the work that a limit has paused: its batches end, what is done and paid for is kept')
    .argument('<scope>', SCOPE_HELP)
    .action(async (scope: string) => {
      await withApp(discard, async (app, options) => {
        const ended = await discardPaused(app, scope);
        print(options, { scope, cancelled: ended }, () =>
          ended.length === 0
            ? `${scope} holds no batch\n`
            : `${ended.join(', ')}  cancelled; nightmill results ID -o FOLDER has what was done\n`,
        );
      });
    });
}

export function budgetJson({ scope, limit, settled, uncertain, held }: ScopeBudget): object {
  return {
    scope: scope.name,
    period: scope.period === '' ? null : scope.period,
    limitUsd: limit === undefined ? null : usdJson(limit),
    spentUsd: usdJson(settled + uncertain),
    uncertainUsd: usdJson(uncertain),
    heldUsd: usdJson(held),
  };
}

function budgetTable(budgets: readonly ScopeBudget[]): string {
  const width = Math.max(...budgets.map(({ scope }) => scope.name.length), 5);
  const rows = budgets.map(({ scope, limit, settled, uncertain, held }) => {
    const share = limit === undefined || limit === 0 ? '' : `  ${Math.round(((settled + uncertain) * 100) / limit)} %`;
    return `${scope.name.padEnd(width)}  ${scope.period.padEnd(10)}  ${formatUsd(settled + uncertain).padStart(12)}  ${formatUsd(held).padStart(12)}  ${(limit === undefined ? 'none' : formatUsd(limit)).padStart(12)}${share}`;
  });
  return `${['scope'.padEnd(width), 'period    ', 'spent'.padStart(12), 'held'.padStart(12), 'limit'.padStart(12)].join('  ')}\n${rows.join('\n')}\n`;
}

async function setLimit(app: App, options: GlobalOptions, scope: string, text: string): Promise<void> {
  const change = await setBudget(app, scope, text === 'none' ? undefined : readBudget(text));
  const usd = (nano: number | undefined) => (nano === undefined ? null : usdJson(nano));
  print(
    options,
    { scope, limitUsd: usd(change.limit), beforeUsd: usd(change.before), spentUsd: usd(change.spent) },
    () => changeLine(change),
  );
}

function changeLine({ scope, before, limit, spent }: LimitChange): string {
  const dollars = (nano: number | undefined) => (nano === undefined ? 'no limit' : formatUsd(nano));
  const from = before === limit ? '' : ` (was ${dollars(before)})`;
  const line = `${scope}  ${limit === undefined ? 'no limit' : `limit ${formatUsd(limit)}`}${from}\n`;
  if (limit === undefined || spent === undefined || spent < limit) return line;
  const what = limit === 0 ? 'nothing may be spent' : `${formatUsd(spent)} of it are spent`;
  return `${line}  ${what}: no further call is made in this scope until the limit is raised\n`;
}
