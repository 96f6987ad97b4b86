import { parseArgs } from 'node:util';
import { readEnvironment } from '../config/environment.ts';
import { reportError } from '../src/cli/report-error.ts';
import { openLog, readConfig, serviceAnnouncer } from '../src/cli/with-app.ts';
import { keepHouse } from '../src/operations/keep-house.ts';
import { boundEnd } from '../src/worker/end-bound.ts';
import { runWorker } from '../src/worker/run-worker.ts';

/** A worker as a process of its own: `worker.ts [--config FILE] [-w WORKFLOW]...`, as `nightmill worker` starts it. */
try {
  const { values } = parseArgs({
    options: { config: { type: 'string' }, workflow: { type: 'string', short: 'w', multiple: true } },
  });
  const options = values.config === undefined ? {} : { config: values.config };
  const config = readConfig(options, 'refuse');
  const log = openLog(options, config, 'info');
  await runWorker({
    config,
    log,
    announce: serviceAnnouncer(options, log),
    searchPath: readEnvironment().searchPath,
    alongside: keepHouse,
    onStopped: () => boundEnd(log),
    ...(values.workflow === undefined ? {} : { workflows: values.workflow }),
  });
} catch (error) {
  process.exitCode = reportError(error, {});
}
