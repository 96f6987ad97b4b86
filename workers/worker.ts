import { parseArgs } from 'node:util';
import { readEnvironment } from '../config/environment.ts';
import { reportError } from '../src/cli/report-error.ts';
import { openLog, readConfig } from '../src/cli/with-app.ts';
import { runWorker } from '../src/worker/run-worker.ts';

/** A worker as a process of its own: `worker.ts [--config FILE] [-w WORKFLOW]...`, as `nightmill worker` starts it. */
try {
  const { values } = parseArgs({
    options: { config: { type: 'string' }, workflow: { type: 'string', short: 'w', multiple: true } },
  });
  const options = values.config === undefined ? {} : { config: values.config };
  const config = readConfig(options, 'refuse');
  await runWorker({
    config,
    log: openLog(options, config, 'info'),
    announce: (line) => process.stderr.write(`nightmill: ${line}\n`),
    searchPath: readEnvironment().searchPath,
    ...(values.workflow === undefined ? {} : { workflows: values.workflow }),
  });
} catch (error) {
  process.exitCode = reportError(error, {});
}
