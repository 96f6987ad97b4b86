import type { LiveWorker } from '../batches/worker-registry.ts';

/** Whether the worker of a host shows signs of life. */
export interface WorkerHealth {
  readonly healthy: boolean;
  /** What was found, and where it is not well what that means. */
  readonly detail: string;
}

/** Judges the workers of one host by the youngest sign of life among them. */
export function workerHealth(workers: readonly LiveWorker[], host: string, maxAgeSeconds: number): WorkerHealth {
  const ages = workers.filter((worker) => worker.host === host).map(({ heartbeatAgeMs }) => heartbeatAgeMs / 1000);
  if (ages.length === 0) {
    return { healthy: false, detail: `no worker of host ${host} is alive: it has not started, has stopped or hangs` };
  }
  const seconds = Math.round(Math.min(...ages));
  return seconds <= maxAgeSeconds
    ? { healthy: true, detail: `the worker of host ${host} gave a sign of life ${seconds} s ago` }
    : {
        healthy: false,
        detail: `the last sign of life of the worker of host ${host} is ${seconds} s old, more than ${maxAgeSeconds} s: it hangs or cannot reach Redis`,
      };
}
