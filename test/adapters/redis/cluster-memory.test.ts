import { expect, test, vi } from 'vitest';
import { RedisClusterMemory } from '../../../src/adapters/redis/cluster-memory.ts';
import { entryOf, scopesOfTest, ticketOf } from '../../contract/cluster.ts';
import { useOwnServer } from './own-server.ts';

const own = useOwnServer();

test('read() has in the day what it has in the batch, also of a call that is settled while it reads', async () => {
  const { ledger, claim } = await own.cluster.workerWithSlice();
  const ticket = ticketOf(claim, 100);
  await ledger.admit(ticket);
  const [batch, ...others] = scopesOfTest(claim.batchId);
  const read = own.cluster.redis.hmget.bind(own.cluster.redis) as (...parts: string[]) => Promise<(string | null)[]>;
  vi.spyOn(own.cluster.redis, 'hmget').mockImplementationOnce((async (...parts: string[]) => {
    const first = await read(...parts);
    await ledger.settle(ticket, { kind: 'reply', entry: entryOf(60) });
    return first;
  }) as never);
  const memory = new RedisClusterMemory(own.cluster.redis, own.cluster.keys);
  const { scopes } = await memory.read({
    batches: [claim.batchId],
    workflows: [],
    scopes: [...others, ...(batch === undefined ? [] : [batch])],
  });
  const settledIn = new Map(scopes.map(({ name, settled }) => [name, settled]));
  expect(settledIn.get('global/day')).toBe(60);
  expect(settledIn.get(`batch:${claim.batchId}`)).toBe(0);
});
