import type { Command } from 'commander';
import { workflowOf } from '../../../config/config.ts';
import { BILL_FIELDS, type BillField } from '../../bills/bill-columns.ts';
import { type ReconcileReport, reconcileBill } from '../../bills/reconcile-bill.ts';
import { NightmillError } from '../../errors.ts';
import { DAY_MS } from '../../runtime/durations.ts';
import { reconcileJson, reconcileLines } from '../format-reconcile.ts';
import { print, withApp } from '../with-app.ts';

interface ReconcileFlags {
  readonly bill: string;
  readonly workflow?: string;
  readonly batch?: readonly string[];
  readonly since?: string;
  readonly until?: string;
  readonly columns?: string;
}

export function addReconcileCommand(program: Command): void {
  const command = program
    .command('reconcile')
    .description(
      "compare what batches booked with a provider's bill or usage export; exit code 0 when all is explained",
    )
    .requiredOption('--bill <file>', 'CSV with a header line, or JSON Lines; also .gz and .zst')
    .option('-w, --workflow <name>', 'only batches of this workflow')
    .option('--batch <id...>', 'only these batches')
    .option('--since <date>', 'first day (YYYY-MM-DD, UTC) or moment, of the bill and of the batches')
    .option('--until <date>', 'last day (YYYY-MM-DD, UTC, the whole of it), or the moment before which')
    .option('--columns <list>', `where the bill's columns have other names: ${BILL_FIELDS.join('=…,')}=…`)
    .addHelpText(
      'after',
      `
Known bills: the simulator's, OpenAI's and Anthropic's usage and cost exports. Columns that are joined with + are added up.

Examples:
  $ npx nightmill reconcile --bill bill.jsonl
  $ npx nightmill reconcile --bill usage.csv -w triage --since 2026-11-01 --until 2026-11-30
  $ npx nightmill reconcile --bill export.csv --columns model=Model,input=Prompt,output=Completion,cost=USD`,
    )
    .action(async (flags: ReconcileFlags) => {
      const since = flags.since === undefined ? undefined : readMoment(flags.since, '--since', 0);
      const until = flags.until === undefined ? undefined : readMoment(flags.until, '--until', DAY_MS);
      const columns = readColumns(flags.columns);
      process.exitCode = await withApp(command, async (app, options) => {
        if (flags.workflow !== undefined) workflowOf(app.config, flags.workflow);
        const report: ReconcileReport = await reconcileBill(app, {
          bill: flags.bill,
          columns,
          ...(flags.workflow === undefined ? {} : { workflow: flags.workflow }),
          ...(flags.batch === undefined ? {} : { batchIds: flags.batch }),
          ...(since === undefined ? {} : { since }),
          ...(until === undefined ? {} : { until }),
        });
        print(options, reconcileJson(report), () => reconcileLines(report));
        return report.isExplained ? 0 : 1;
      });
    });
}

/** @param dayMs what a plain day adds to its beginning */
function readMoment(text: string, flag: string, dayMs: number): number {
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text);
  const at = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(at)) return isDay ? at + dayMs : at;
  throw new NightmillError(
    'usage',
    `Cannot use ${JSON.stringify(text)} for ${flag}: write YYYY-MM-DD, or a moment such as 2026-11-21T18:00:00Z.`,
  );
}

function readColumns(text: string | undefined): Partial<Record<BillField, readonly string[]>> {
  const columns: Partial<Record<BillField, readonly string[]>> = {};
  if (text === undefined) return columns;
  for (const part of text.split(',')) {
    const [, field = '', names = ''] = /^\s*(\w+)\s*=\s*(.+?)\s*$/.exec(part) ?? [];
    if (!isBillField(field)) {
      throw new NightmillError(
        'usage',
        `Cannot use ${JSON.stringify(part)} in --columns: write FIELD=NAME with one of ${BILL_FIELDS.join(', ')}.`,
      );
    }
    columns[field] = names.split('+').map((name) => name.trim());
  }
  return columns;
}

function isBillField(text: string): text is BillField {
  return (BILL_FIELDS as readonly string[]).includes(text);
}
