import { connect, type Socket } from 'node:net';

/** Redis answered a command with an error, e.g. `LOADING Redis is loading the dataset in memory`. */
export class RedisReplyError extends Error {
  override readonly name = 'RedisReplyError';
}

interface Waiter {
  readonly resolve: (reply: string) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A connection to a Redis on a Unix socket for the few commands that start, watch and stop it. Written on a bare socket
 * because the supervisor stays in memory as long as the server does and a Redis library would double its private memory.
 * Understands replies that are one line, one number or one bulk string; never reconnects.
 */
export class RedisConnection {
  /** Resolves when the connection has ended, for whatever reason. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #waiters: Waiter[] = [];
  #received: Buffer = Buffer.alloc(0);

  /** @throws the socket's error, e.g. with code ENOENT or ECONNREFUSED where no server listens */
  static async open(socketPath: string): Promise<RedisConnection> {
    const socket = connect(socketPath);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new RedisConnection(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    // Nothing to do for an error: `close` always follows and ends the commands in flight.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      for (const waiter of this.#waiters.splice(0)) waiter.reject(new Error('The connection to Redis has ended.'));
      resolve();
    });
  }

  get isClosed(): boolean {
    return this.#socket.destroyed;
  }

  /** Sends one command and gives its reply. @throws {RedisReplyError} where Redis refuses it */
  command(...words: readonly string[]): Promise<string> {
    if (this.isClosed) return Promise.reject(new Error('The connection to Redis has ended.'));
    const request = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('');
    this.#socket.write(`*${words.length}\r\n${request}`);
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  /** Lets the process end although this connection is open. */
  unref(): void {
    this.#socket.unref();
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    for (;;) {
      const lineEnd = this.#received.indexOf('\r\n');
      if (lineEnd < 0) return;
      const kind = this.#received.toString('latin1', 0, 1);
      let text = this.#received.toString('utf8', 1, lineEnd);
      let end = lineEnd + 2;
      if (kind === '$' && text !== '-1') {
        const bodyEnd = end + Number(text);
        if (this.#received.length < bodyEnd + 2) return;
        text = this.#received.toString('utf8', end, bodyEnd);
        end = bodyEnd + 2;
      }
      this.#received = this.#received.subarray(end);
      const waiter = this.#waiters.shift();
      if (kind === '-') waiter?.reject(new RedisReplyError(text));
      else waiter?.resolve(text);
    }
  }
}
