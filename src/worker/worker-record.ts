import { hostname } from 'node:os';
import { version } from '../../config/version.ts';
import type { App } from '../app.ts';
import type { WorkerRecord } from '../batches/worker-registry.ts';
import { configHash } from './config-hash.ts';

/** What this process tells the others of itself, as of each call. */
export function workerRecord(
  app: App,
  workflows: readonly string[],
  trouble: () => string | undefined,
): () => WorkerRecord {
  const fixed = {
    host: hostname(),
    pid: process.pid,
    version: version(),
    configHash: configHash(app.config),
    workflows,
    startedAt: app.clock.now(),
  };
  return () => ({
    ...fixed,
    ...withTrouble(trouble()),
    slices: [...app.slices.runs].map(({ claim: { batchId, workflow, slice } }) => ({
      batch: batchId,
      workflow,
      slice,
    })),
  });
}

function withTrouble(trouble: string | undefined): Pick<WorkerRecord, 'trouble'> {
  return trouble === undefined ? {} : { trouble };
}
