import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { RedisKeys } from '../../../src/adapters/redis/keys.ts';
import { spawnWorker, workerLog } from '../../chaos/processes.ts';
import { runCli } from '../../helpers/cli.ts';
import { LABELS, MODEL_ID } from './documents.ts';

const BATCH = 'bench';
const POLL_MS = 25;
const START_WITHIN_MS = 120_000;
const END_WITHIN_MS = 600_000;

export interface SystemOptions {
  readonly redisSocket: string;
  readonly providerUrl: string;
  readonly limits: {
    readonly requestsPerMinute?: number;
    readonly tokensPerMinute?: number;
    /** In one worker process. */
    readonly concurrency: number;
  };
  /** Default: the program's. */
  readonly sliceDocuments?: number;
  /** At once in one worker process. Default: the program's. */
  readonly slices?: number;
}

/** Writes the configuration: one paid tier, a day's budget that no run reaches, everything else as it comes. */
export async function writeConfig(folder: string, options: SystemOptions): Promise<void> {
  const config = {
    redis: `unix://${options.redisSocket}`,
    providers: { provider: { kind: 'openai', baseUrl: options.providerUrl, limits: options.limits } },
    models: {
      small: { provider: 'provider', id: MODEL_ID, price: { inputPerMillion: 0.15, outputPerMillion: 0.6 } },
    },
    workflows: {
      triage: { task: 'classify', labels: LABELS, cascade: [{ model: 'small' }], budget: { day: 100_000 } },
    },
    ...(options.sliceDocuments === undefined ? {} : { ingest: { sliceDocuments: options.sliceDocuments } }),
    ...(options.slices === undefined ? {} : { worker: { slices: options.slices } }),
  };
  await writeFile(configPath(folder), `${JSON.stringify(config, null, 2)}\n`);
}

/** Stores and queues the documents of `documents.jsonl` in the folder. */
export async function submitDocuments(folder: string): Promise<void> {
  const submitted = await runCli(folder, ['submit', 'documents.jsonl', '-w', 'triage', '--id', BATCH]);
  if (submitted.code !== 0) throw new Error(`submit ended with ${submitted.code}:\n${submitted.stderr}`);
}

/** Worker processes as a user starts them, all of them at work when this returns. Their log is in the folder. */
export async function startWorkers(folder: string, count: number, program?: string): Promise<readonly ChildProcess[]> {
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  const workers = numbers.map((number) => spawnWorker(folder, configPath(folder), number, [], program));
  const deadline = performance.now() + START_WITHIN_MS;
  while (!numbers.every((number) => readFileSync(workerLog(folder, number), 'utf8').includes('worker:started'))) {
    for (const [index, worker] of workers.entries()) throwIfEnded(folder, index + 1, worker);
    if (performance.now() > deadline) throw new Error(`The workers did not start within ${START_WITHIN_MS / 1_000} s`);
    await delay(POLL_MS);
  }
  return workers;
}

/** Waits for the batch's manifest. */
export async function waitUntilCompleted(folder: string, redisSocket: string, worker: ChildProcess): Promise<void> {
  const redis = new Redis({ path: redisSocket });
  const deadline = performance.now() + END_WITHIN_MS;
  try {
    while ((await redis.hget(new RedisKeys('nightmill').batch(BATCH), 'state')) !== 'completed') {
      throwIfEnded(folder, 1, worker);
      if (performance.now() > deadline) throw new Error(`The batch did not end within ${END_WITHIN_MS / 1_000} s`);
      await delay(POLL_MS);
    }
  } finally {
    redis.disconnect();
  }
}

/** @throws with the end of its log, when a worker has ended by itself */
export function throwIfEnded(folder: string, number: number, worker: ChildProcess): void {
  if (worker.exitCode === null && worker.signalCode === null) return;
  const log = readFileSync(workerLog(folder, number), 'utf8').slice(-2_000);
  throw new Error(`Worker ${number} ended with ${worker.exitCode ?? worker.signalCode}:\n${log}`);
}

function configPath(folder: string): string {
  return `${folder}/nightmill.yaml`;
}
