import type { Redis } from 'ioredis';
import { EndingRedis } from './ending-redis.ts';

/**
 * A connection whose commands of one turn of the event loop leave in one write. ioredis's own automatic pipelining
 * does not do here: when the server goes away after it has answered a part of a pipeline, the rest of the commands
 * fail, where others are sent again.
 */
export class BatchingRedis extends EndingRedis {
  override sendCommand(...[command, stream]: Parameters<Redis['sendCommand']>): unknown {
    const socket = this.stream;
    if (socket !== undefined && socket !== null && socket.writableCorked === 0) {
      socket.cork();
      process.nextTick(() => socket.uncork());
    }
    return super.sendCommand(command, stream);
  }
}
