import { Redis, type RedisOptions } from 'ioredis';

const CLOSED = 'Connection is closed.';

/** What ioredis keeps of commands that were under way when a connection was lost, until the next one is ready. */
interface Stash {
  prevCommandQueue?: { shift(): { readonly command: { reject(error: Error): void } } | undefined } | null;
}

/**
 * A connection that ends whenever it is told to, and with it every command that waits for it. ioredis does not end one that
 * waits for its next attempt, and leaves commands that were lost with the last connection unanswered: whoever waits for
 * either, as BullMQ does when it closes, waits forever.
 */
export class EndingRedis extends Redis {
  constructor(options: Omit<RedisOptions, 'replyMapping'>) {
    super(options);
    this.on('end', () => {
      const stash = this as unknown as Stash;
      for (let item = stash.prevCommandQueue?.shift(); item !== undefined; item = stash.prevCommandQueue?.shift()) {
        item.command.reject(new Error(CLOSED));
      }
      stash.prevCommandQueue = null;
    });
  }

  override disconnect(reconnect = false): void {
    // It has no socket whose end would be heard of. In this state ioredis ends it without one.
    if (!reconnect && this.status === 'reconnecting') this.status = 'wait';
    super.disconnect(reconnect);
  }

  // BullMQ's connections that wait for a job are made by this.
  override duplicate(...[override]: Parameters<Redis['duplicate']>): ReturnType<Redis['duplicate']> {
    const { replyMapping: _, ...options } = { ...this.options, ...override };
    return new EndingRedis(options);
  }
}
