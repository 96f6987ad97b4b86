import type { QueueOptions, WorkerOptions } from 'bullmq';
import type { RedisTarget } from '../../../config/redis-target.ts';
import { EndingRedis } from '../redis/ending-redis.ts';
import { newClusterClient, type RedisClient, redisOptions } from '../redis/redis-options.ts';

/** How BullMQ reaches Redis: it opens connections of its own, because a waiting worker blocks one. */
export interface QueueConnection {
  readonly target: RedisTarget;
  readonly prefix: string;
}

/**
 * What BullMQ is given for one set of queues or workers: a client that they share, of a kind that can always be closed. BullMQ
 * makes another one like it for each worker that waits, and closes that.
 */
export class QueueClients implements Disposable {
  readonly #connection: QueueConnection;
  #client: RedisClient | undefined;

  constructor(connection: QueueConnection) {
    this.#connection = connection;
  }

  queue(): QueueOptions {
    return { connection: this.#open({}), prefix: this.#connection.prefix };
  }

  /** A worker waits for Redis as long as it takes: BullMQ asks for commands without a retry limit. */
  worker(): Pick<WorkerOptions, 'connection' | 'prefix'> {
    return { connection: this.#open({ maxRetriesPerRequest: null }), prefix: this.#connection.prefix };
  }

  /** The client that they share, once one of them has been made. */
  get shared(): RedisClient | undefined {
    return this.#client;
  }

  #open(more: { readonly maxRetriesPerRequest?: null }): RedisClient {
    if (this.#client === undefined) {
      const { target } = this.#connection;
      this.#client =
        'cluster' in target
          ? newClusterClient(target, { lazyConnect: false })
          : new EndingRedis({ ...redisOptions(target), lazyConnect: false, ...more });
      // Trouble shows in the command that meets it; without a listener it would end the process.
      this.#client.on('error', () => {});
    }
    return this.#client;
  }

  /** Calls back once as soon as the shared client has no connection, at once where it has none now. */
  whenLost(callback: () => void): void {
    if (this.#client?.status === 'ready') this.#client.once('close', callback);
    else callback();
  }

  /** Commands that wait for Redis fail. */
  [Symbol.dispose](): void {
    this.#client?.disconnect();
    this.#client = undefined;
  }
}
