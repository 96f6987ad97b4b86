import { loadConfig } from '../../config/load.ts';
import { secretsOf } from '../../config/secrets.ts';
import { createLog } from '../../src/adapters/pino/pino-log.ts';
import { openApp } from '../../src/app.ts';
import { readStatusAndModels } from '../../src/operations/figures/batch-models.ts';
import { statusJson } from '../../src/operations/status-json.ts';

export interface StatusReader extends AsyncDisposable {
  /** What `status BATCH --json` prints. */
  read(batch: string): Promise<unknown>;
}

/** Reads statuses of the batches of a working folder, in this process. */
export async function openStatusReader(folder: string): Promise<StatusReader> {
  const config = loadConfig({ cwd: folder, env: {}, missingSecrets: 'leave' });
  const log = createLog('silent', secretsOf(config));
  const app = await openApp({ config, log, announce: () => {}, searchPath: process.env.PATH, actor: 'tests' });
  return {
    read: async (batch) => JSON.parse(JSON.stringify(statusJson(await readStatusAndModels(app, batch)))) as unknown,
    [Symbol.asyncDispose]: () => app.close(),
  };
}
