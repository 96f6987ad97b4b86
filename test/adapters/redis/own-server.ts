import { afterEach, beforeEach, expect } from 'vitest';
import { RememberingLedger } from '../../../src/adapters/redis/remembering/remembering-ledger.ts';
import { systemClock } from '../../../src/adapters/system/system-clock.ts';
import { entryOf, ticketOf } from '../../contract/cluster.ts';
import { type RedisServer, startRedisServer } from '../../helpers/redis-server.ts';
import { Cluster } from './fixture.ts';

/** Each test of the file that calls this at its top has a server of its own, which may come back without its last writes. */
export function useOwnServer() {
  let server: RedisServer;
  let cluster: Cluster;

  beforeEach(async () => {
    server = await startRedisServer();
    cluster = new Cluster(await server.connect());
  });

  afterEach(async () => {
    await cluster.stop();
    await server.stop();
  });

  return {
    get server(): RedisServer {
      return server;
    },
    get cluster(): Cluster {
      return cluster;
    },

    /** @param monotonic milliseconds; the time in which the server is asked stands still by default */
    async rememberingWorker(monotonic = () => 0) {
      const { lease } = await cluster.worker();
      const ledger = new RememberingLedger(cluster.redis, cluster.keys, lease);
      ledger.remember({ ...systemClock, now: () => 0, monotonic });
      expect(await ledger.restoreIfRestarted()).toBe(0);
      const claim = await cluster.claim(await cluster.queuedBatch());
      return { ledger, claim, lease };
    },

    /** A reply that was paid for after the last `SAVE`, for 60 of 100. */
    async forgettableReply(monotonic?: () => number) {
      const { ledger, claim } = await this.rememberingWorker(monotonic);
      await cluster.redis.save();
      const ticket = ticketOf(claim, 100);
      await ledger.admit(ticket);
      await ledger.settle(ticket, { kind: 'reply', entry: entryOf(60) });
      return { ledger, claim, ticket };
    },

    /** The server comes back as it was at the last `SAVE`: everything since is forgotten. */
    async restart(): Promise<void> {
      await server.kill();
      await server.start();
    },
  };
}
