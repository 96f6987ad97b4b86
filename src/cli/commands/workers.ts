import type { Command } from 'commander';
import { clusterJson, readCluster } from '../../operations/cluster-view.ts';
import { workersText } from '../format-workers.ts';
import { print, withApp } from '../with-app.ts';

export function addWorkersCommand(program: Command): void {
  const command = program
    .command('workers')
    .description('who is working on what, and what waits for workers')
    .action(async () => {
      await withApp(command, async (app, options) => {
        const cluster = await readCluster(app);
        print(options, clusterJson(cluster), () => workersText(cluster, app.clock.now()));
      });
    });
}
