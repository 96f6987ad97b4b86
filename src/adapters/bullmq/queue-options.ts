import type { QueueOptions, WorkerOptions } from 'bullmq';
import type { NightmillRedisOptions } from '../redis/connect.ts';

/** How BullMQ reaches Redis: it opens connections of its own, because a waiting worker blocks one. */
export interface QueueConnection {
  readonly redis: NightmillRedisOptions;
  readonly prefix: string;
}

export function queueOptions({ redis, prefix }: QueueConnection): QueueOptions {
  return { connection: { ...redis, lazyConnect: false }, prefix };
}

/** A worker waits for Redis as long as it takes: BullMQ asks for commands without a retry limit. */
export function workerConnection({ redis, prefix }: QueueConnection): Pick<WorkerOptions, 'connection' | 'prefix'> {
  return { connection: { ...redis, lazyConnect: false, maxRetriesPerRequest: null }, prefix };
}
