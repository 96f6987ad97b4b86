import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Redis } from 'ioredis';

type Evalsha = (sha1: string, keys: number, ...args: unknown[]) => Promise<unknown>;

/**
 * The client of a real server on whose way back answers get lost: the script has run, its answer never arrives, and the
 * client sends it again, behind what others have sent meanwhile.
 */
export function withLostAnswers(
  redis: Redis,
  watch: {
    readonly isLost: () => boolean;
    /** Each time that a script leaves. */
    readonly onSend: (sha1: string, firstArgument: string) => void;
  },
): Redis {
  const { evalshaBuffer } = redis as unknown as { evalshaBuffer: Evalsha };
  const own: Evalsha = async (sha1, keys, ...args) => {
    const send = () => {
      watch.onSend(sha1, String(args[keys]));
      return evalshaBuffer.call(redis, sha1, keys, ...args);
    };
    if (!watch.isLost()) return await send();
    const lost = send();
    await nextTurn();
    await lost;
    return await send();
  };
  return new Proxy(redis, {
    get: (target, name) => {
      if (name === 'evalshaBuffer') return own;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
