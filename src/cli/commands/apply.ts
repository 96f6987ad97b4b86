import type { Command } from 'commander';
import { formatUsd, usdJson } from '../../money/money.ts';
import { type AppliedLimit, applyLimits } from '../../operations/budgets.ts';
import { print, withApp } from '../with-app.ts';

export function addApplyCommand(program: Command): void {
  const command = program
    .command('apply')
    .description("make this config's limits the cluster's; those set with `budget set` stay in force")
    .action(async () => {
      await withApp(command, async (app, options) => {
        const lines = await applyLimits(app);
        const usd = (nano: number | undefined) => (nano === undefined ? null : usdJson(nano));
        print(
          options,
          lines.map(({ scope, wanted, inForce, changed }) => ({
            scope,
            configUsd: usd(wanted),
            limitUsd: usd(inForce),
            changed,
          })),
          () =>
            lines
              .filter(({ wanted, inForce }) => wanted !== undefined || inForce !== undefined)
              .map(describe)
              .join(''),
        );
      });
    });
}

function describe(line: AppliedLimit): string {
  const dollars = (nano: number | undefined) => (nano === undefined ? 'no limit' : formatUsd(nano));
  const outranked = line.wanted === line.inForce ? '' : `, in force: ${dollars(line.inForce)} (set with budget set)`;
  return `${line.scope}: ${dollars(line.wanted)}${outranked}\n`;
}
