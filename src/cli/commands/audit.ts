import type { Command } from 'commander';
import { NightmillError } from '../../errors.ts';
import { auditJson } from '../../operations/audit.ts';
import { print, withApp } from '../with-app.ts';

export function addAuditCommand(program: Command): void {
  const command = program
    .command('audit')
    .description('who changed what: budgets, pauses, batches, keys; newest first')
    .option('--limit <number>', 'most entries', '50')
    .action(async (flags: { limit: string }) => {
      const limit = Number(flags.limit);
      if (!Number.isInteger(limit) || limit < 1 || limit > 10_000) {
        throw new NightmillError('usage', `Cannot use ${JSON.stringify(flags.limit)} as --limit: use 1 to 10000.`);
      }
      await withApp(command, async (app, options) => {
        const records = await app.audit.list(limit);
        print(options, records.map(auditJson), () =>
          records.length === 0
            ? 'Nothing has been changed by anyone yet.\n'
            : records
                .map(({ at, who, action, target, before, after }) => {
                  const change = before === undefined ? (after ?? '') : `${before} -> ${after ?? ''}`;
                  return `${[new Date(at).toISOString(), who, action, target, change].join('  ').trimEnd()}\n`;
                })
                .join(''),
        );
      });
    });
}
