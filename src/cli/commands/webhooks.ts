import type { Command } from 'commander';
import { deliveryJson } from '../../budgets/delivery-log.ts';
import { NightmillError } from '../../errors.ts';
import { table } from '../table.ts';
import { print, withApp } from '../with-app.ts';

export function addWebhooksCommand(program: Command): void {
  const command = program
    .command('webhooks')
    .description('what webhooks and programs were told lately, and what did not arrive; newest first')
    .option('--limit <number>', 'most entries', '50')
    .action(async (flags: { limit: string }) => {
      const limit = Number(flags.limit);
      if (!Number.isInteger(limit) || limit < 1 || limit > 1_000) {
        throw new NightmillError('usage', `Cannot use ${JSON.stringify(flags.limit)} as --limit: use 1 to 1000.`);
      }
      await withApp(command, async (app, options) => {
        const deliveries = await app.deliveries.list(limit);
        print(options, deliveries.map(deliveryJson), () => {
          if (deliveries.length === 0) {
            return app.config.alerts.webhooks.length === 0
              ? 'The config names no webhooks: see alerts.webhooks.\n'
              : 'No webhook was told anything yet.\n';
          }
          const rows = deliveries.map(({ at, outcome, webhook, kind, event, subject, attempts, reason }) => [
            new Date(at).toISOString(),
            outcome,
            `${webhook} (${kind})`,
            event,
            subject,
            `${attempts} ${attempts === 1 ? 'try' : 'tries'}${reason === undefined ? '' : `: ${reason}`}`,
          ]);
          return `${table([['TIME', 'OUTCOME', 'WEBHOOK', 'EVENT', 'OF', 'TRIES'], ...rows]).join('\n')}\n`;
        });
      });
    });
}
