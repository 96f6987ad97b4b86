import type { Command } from 'commander';
import { configLimits } from '../../../config/limits.ts';
import { formatUsd, nanoToDecimal } from '../../money/money.ts';
import { print, withApp } from '../with-app.ts';

export function addApplyCommand(program: Command): void {
  const command = program
    .command('apply')
    .description("make this config's limits the cluster's; those set with `budget set` stay in force")
    .action(async () => {
      await withApp(command, async (app, options) => {
        const limits = configLimits(app.config);
        const changed = await app.ledger.applyConfigLimits(limits, 'replace');
        const lines = await Promise.all(
          [...limits].map(async ([scope, wanted]) => ({
            scope,
            wanted,
            inForce: await app.ledger.limit(scope),
            changed: changed.includes(scope),
          })),
        );
        const usd = (nano: number | undefined) => (nano === undefined ? null : JSON.rawJSON(nanoToDecimal(nano)));
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

function describe(line: { scope: string; wanted: number | undefined; inForce: number | undefined }): string {
  const dollars = (nano: number | undefined) => (nano === undefined ? 'no limit' : formatUsd(nano));
  const outranked = line.wanted === line.inForce ? '' : `, in force: ${dollars(line.inForce)} (set with budget set)`;
  return `${line.scope}: ${dollars(line.wanted)}${outranked}\n`;
}
