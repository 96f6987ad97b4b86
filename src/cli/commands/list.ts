import type { Command } from 'commander';
import { listStatuses } from '../../operations/read-status.ts';
import { statusJson } from '../../operations/status-json.ts';
import { listText } from '../format-list.ts';
import { addFilterOptions, type FilterFlags, readFilter } from '../status-filter.ts';
import { print, withApp } from '../with-app.ts';

const BATCHES_LISTED = 50;

export function addListCommand(program: Command): void {
  const command = program.command('list').description('batches as a table, newest first; status says more of each');
  addFilterOptions(command).action(async (flags: FilterFlags) => {
    const filter = readFilter(flags, BATCHES_LISTED);
    await withApp(command, async (app, options) => {
      const statuses = await listStatuses(app, filter);
      print(options, statuses.map(statusJson), () => listText(statuses));
    });
  });
}
