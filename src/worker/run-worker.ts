import { workflowOf } from '../../config/config.ts';
import { type App, type OpenAppOptions, openApp } from '../app.ts';
import { NightmillError } from '../errors.ts';
import { queuesOf } from '../workflows/model-workflow.ts';
import { startWorker } from './start-worker.ts';
import { stateLimits } from './state-limits.ts';
import { aborted, listenForStop } from './stop-signals.ts';

export interface RunWorkerOptions extends OpenAppOptions {
  /** Names of the config's workflows. Default: all of them. */
  readonly workflows?: readonly string[];
  /** What this process does beside its slices, from when it takes them until `signal` aborts. */
  readonly alongside?: (app: App, workflows: readonly string[], signal: AbortSignal) => Promise<void>;
  /** Called with the opened app before it works; what it returns is disposed of at the end. */
  readonly whileOpen?: (app: App) => Promise<AsyncDisposable | undefined>;
  /** Called when the worker has stopped and only closing is left. */
  readonly onStopped?: () => void;
}

/**
 * A worker process from start to end: works until the first signal, then finishes what is in flight; a second signal
 * gives it up.
 *
 * @throws {NightmillError} `usage`: the config has no such workflow, or none at all; and as `openApp`
 */
export async function runWorker(options: RunWorkerOptions): Promise<void> {
  await using app = await openApp(options);
  for (const name of options.workflows ?? []) workflowOf(app.config, name);
  const workflows = options.workflows ?? queuesOf(app.config);
  if (workflows.length === 0)
    throw new NightmillError('usage', 'The config has no workflows, so there is nothing to work on.');
  await stateLimits(app, 'fill');
  await using _beside = await options.whileOpen?.(app);
  using stop = listenForStop(options.announce);
  const worker = await startWorker(app, workflows);
  const beside = options.alongside?.(app, workflows, stop.first);
  await aborted(stop.first);
  stop.second.addEventListener('abort', () => void worker.stop({ force: true }));
  await worker.stop({ force: stop.second.aborted });
  // Self-hosted servers are switched off in their own time.
  if (hasPower(app)) await beside;
  options.onStopped?.();
  await beside;
}

function hasPower({ config }: App): boolean {
  return config.providers.values().some(({ power }) => power !== undefined);
}
