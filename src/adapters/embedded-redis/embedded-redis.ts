import type { NightmillError } from '../../errors.ts';
import { readEndpoint } from './endpoint.ts';
import { findRedisServer } from './find-redis-server.ts';
import { isSupervised, joinServer } from './join-server.ts';
import type { RedisConnection } from './redis-connection.ts';
import { redisFailure } from './start-failure.ts';
import { startSupervisor } from './start-supervisor.ts';

const CHECK_MS = 2_000;

/**
 * A private Redis server that this process shares with all others of the same folder. Holds one connection of its own,
 * so that the server lives until the caller has connected, and looks after the supervisor: one that was killed is
 * replaced, or the server would outlive its last client.
 */
export class EmbeddedRedis implements AsyncDisposable {
  /** For ioredis: `new Redis({ path: socketPath })`. */
  readonly socketPath: string;
  /** `embedded, in FOLDER`, for messages. */
  readonly description: string;
  readonly #place: RedisPlace;
  readonly #timer: NodeJS.Timeout;
  #connection: RedisConnection;
  #isClosed = false;

  constructor(connection: RedisConnection, place: RedisPlace) {
    this.socketPath = readEndpoint(place.redisFolder)?.socketPath ?? '';
    this.description = `embedded, in ${place.redisFolder}`;
    this.#place = place;
    this.#connection = connection;
    // Neither the connection nor the timer may keep the process from ending.
    connection.unref();
    this.#timer = setInterval(() => this.#check().catch(() => undefined), CHECK_MS).unref();
  }

  /** Why the server is gone, from its log. For the message when the connections are lost for good. */
  failure(): NightmillError {
    const { redisFolder, logPath, logStart } = this.#place;
    return redisFailure(`The embedded Redis in ${redisFolder} has ended.`, logPath, logStart);
  }

  /**
   * Stops using the server; may be called twice. The server ends two seconds after its last client has gone, this
   * process's own connections included.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #check(): Promise<void> {
    const { redisFolder, logPath, searchFolders } = this.#place;
    if (this.#connection.isClosed) {
      // The server crashed; its supervisor starts it again, or has given up.
      const connection = await joinServer(redisFolder);
      if (connection === undefined) return;
      this.#connection = connection;
      connection.unref();
      if (this.#isClosed) connection.close();
    } else if (!(await isSupervised(this.#connection)) && !this.#isClosed) {
      const lookup = findRedisServer(searchFolders);
      if (lookup.status === 'found') await startSupervisor(redisFolder, lookup.program, logPath);
    }
  }
}

interface RedisPlace {
  readonly redisFolder: string;
  readonly logPath: string;
  /** Where in the log this start begins, in bytes. */
  readonly logStart: number;
  readonly searchFolders: readonly string[];
}
