import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { NightmillError } from '../../errors.ts';
import { readReport, readReportDays, readReportGroup } from '../../operations/figures/read-report.ts';
import { reportHtml } from '../../reports/report-html.ts';
import { reportJson } from '../../reports/report-json.ts';
import { reportLines } from '../format-report.ts';
import { print, withApp } from '../with-app.ts';

export function addReportCommand(program: Command): void {
  const command = program
    .command('report')
    .description('what the last nights cost and did: tiers, savings, changes against the days before, the month')
    .option('--days <number>', 'so many days, and as many before to compare with', '7')
    .option('--by <what>', 'workflow, model, provider or tenant', 'workflow')
    .option('--html <file>', 'also write it as a page that needs nothing else')
    .action(async (flags: { days: string; by: string; html?: string }) => {
      const [days, by] = [readReportDays(flags.days), readReportGroup(flags.by)];
      await withApp(command, async (app, options) => {
        const report = await readReport(app, { days, by });
        if (flags.html !== undefined) await writePage(flags.html, reportHtml(report));
        print(options, reportJson(report), () => reportLines(report));
      });
    });
}

async function writePage(file: string, page: string): Promise<void> {
  try {
    await writeFile(file, page);
  } catch (error) {
    throw new NightmillError('usage', `Cannot write the report to ${file}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
