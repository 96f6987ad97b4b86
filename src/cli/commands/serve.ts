import type { Command } from 'commander';
import { NightmillError } from '../../errors.ts';
import { startServer } from '../../http/start-server.ts';
import { ProcessMeter } from '../../measures/process-meter.ts';
import { keepHouse } from '../../operations/keep-house.ts';
import { boundEnd } from '../../worker/end-bound.ts';
import { startWorker } from '../../worker/start-worker.ts';
import { stateLimits } from '../../worker/state-limits.ts';
import { aborted, listenForStop } from '../../worker/stop-signals.ts';
import { watchAlerts } from '../../worker/watch-alerts.ts';
import { queuesOf } from '../../workflows/model-workflow.ts';
import { withApp } from '../with-app.ts';

export function addServeCommand(program: Command): void {
  const command = program
    .command('serve')
    .description('the API, and a worker in the same process; with the embedded server this is the whole product')
    .option('--host <address>', 'where to listen; any but a loopback address needs a key first', '127.0.0.1')
    .option('--port <number>', 'port', '7300')
    .option('--no-worker', 'only answer requests; workers run elsewhere')
    .action(async (flags: { host: string; port: string; worker: boolean }) => {
      const port = Number(flags.port);
      if (!Number.isInteger(port) || port < 0 || port > 65_535) {
        throw new NightmillError('usage', `Cannot use ${JSON.stringify(flags.port)} as --port: use 0 to 65535.`);
      }
      const meter = new ProcessMeter();
      await withApp(
        command,
        async (app, _options, announce) => {
          using stop = listenForStop(announce);
          const server = await startServer(app, { host: flags.host, port, meter });
          await stateLimits(app, 'fill');
          const workflows = queuesOf(app.config);
          const worker = flags.worker ? await startWorker(app, workflows) : undefined;
          const beside = flags.worker ? keepHouse(app, workflows, stop.first) : undefined;
          announce(`serving on ${server.url}${worker === undefined ? '' : `, working on ${workflows.join(', ')}`}`);
          const watching = flags.worker ? undefined : watchAlerts(app, stop.first);
          await aborted(stop.first);
          await watching;
          stop.second.addEventListener('abort', () => void worker?.stop({ force: true }));
          await server.close();
          await worker?.stop({ force: stop.second.aborted });
          await beside;
          boundEnd(app.log);
        },
        { as: 'service', missingSecrets: flags.worker ? 'refuse' : 'leave', meter },
      );
    });
}
