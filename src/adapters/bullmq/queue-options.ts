import type { ConnectionOptions, QueueOptions, WorkerOptions } from 'bullmq';
import type { Cluster } from 'ioredis';
import type { RedisTarget } from '../../../config/redis-target.ts';
import { newClusterClient, redisOptions } from '../redis/redis-options.ts';

/** How BullMQ reaches Redis: it opens connections of its own, because a waiting worker blocks one. */
export interface QueueConnection {
  readonly target: RedisTarget;
  readonly prefix: string;
}

/**
 * What BullMQ is given for one set of queues or workers. A client of a cluster cannot be described by options, so it is
 * made here, shared by the set and closed with it.
 */
export class QueueClients implements Disposable {
  readonly #connection: QueueConnection;
  #cluster: Cluster | undefined;

  constructor(connection: QueueConnection) {
    this.#connection = connection;
  }

  queue(): QueueOptions {
    return { connection: this.#options({}), prefix: this.#connection.prefix };
  }

  /** A worker waits for Redis as long as it takes: BullMQ asks for commands without a retry limit. */
  worker(): Pick<WorkerOptions, 'connection' | 'prefix'> {
    return { connection: this.#options({ maxRetriesPerRequest: null }), prefix: this.#connection.prefix };
  }

  #options(more: { readonly maxRetriesPerRequest?: null }): ConnectionOptions {
    const { target } = this.#connection;
    if (!('cluster' in target)) return { ...redisOptions(target), lazyConnect: false, ...more };
    if (this.#cluster === undefined) {
      this.#cluster = newClusterClient(target, { lazyConnect: false });
      // Trouble shows in the command that meets it; without a listener it would end the process.
      this.#cluster.on('error', () => {});
    }
    return this.#cluster;
  }

  [Symbol.dispose](): void {
    this.#cluster?.disconnect();
    this.#cluster = undefined;
  }
}
