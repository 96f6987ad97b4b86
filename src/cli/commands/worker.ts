import type { Command } from 'commander';
import { readEnvironment } from '../../../config/environment.ts';
import { type MetricsAddress, readMetricsAddress, serveMetrics } from '../../adapters/metrics-server/metrics-server.ts';
import { formatMetrics } from '../../measures/exposition.ts';
import { ProcessMeter } from '../../measures/process-meter.ts';
import { processSamples } from '../../operations/figures/process-samples.ts';
import { keepHouse } from '../../operations/keep-house.ts';
import { boundEnd } from '../../worker/end-bound.ts';
import { type RunWorkerOptions, runWorker } from '../../worker/run-worker.ts';
import { globalOptions, openLog, readConfig, serviceAnnouncer } from '../with-app.ts';

export function addWorkerCommand(program: Command): void {
  const command = program
    .command('worker')
    .description('work on queued slices until stopped; start as many as you like, on any machine')
    .option('-w, --workflow <name...>', 'only these workflows (default: all of the config)')
    .option('--metrics <address>', 'serve figures for Prometheus on this port (of 127.0.0.1, or HOST:PORT)')
    .action(async (flags: { workflow?: string[]; metrics?: string }) => {
      const options = globalOptions(command);
      const config = readConfig(options, 'refuse');
      const address = flags.metrics === undefined ? undefined : readMetricsAddress(flags.metrics);
      const log = openLog(options, config, 'info');
      const announce = serviceAnnouncer(options, log);
      await runWorker({
        config,
        log,
        announce,
        searchPath: readEnvironment().searchPath,
        alongside: keepHouse,
        onStopped: () => boundEnd(log),
        ...(flags.workflow === undefined ? {} : { workflows: flags.workflow }),
        ...(address === undefined ? {} : measured(address, announce)),
      });
    });
}

function measured(
  address: MetricsAddress,
  announce: (line: string) => void,
): Pick<RunWorkerOptions, 'meter' | 'whileOpen'> {
  const meter = new ProcessMeter();
  return {
    meter,
    whileOpen: async (app) => {
      const server = await serveMetrics(address, () => formatMetrics(processSamples(app, meter)));
      announce(`metrics on ${server.url}`);
      return server;
    },
  };
}
