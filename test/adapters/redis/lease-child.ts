import { connectRedis } from '../../../src/adapters/redis/connect.ts';
import { RedisKeys } from '../../../src/adapters/redis/keys.ts';
import { RedisLedger } from '../../../src/adapters/redis/ledger.ts';
import { WorkerLease } from '../../../src/adapters/redis/worker-lease.ts';
import type { CallTicket, Outcome } from '../../../src/ledger/ledger.ts';

/** What the test asks this worker process to do; it answers with the result and its worker id. */
export type LeaseChildOrder =
  | { readonly do: 'admit'; readonly ticket: CallTicket }
  | { readonly do: 'settle'; readonly ticket: CallTicket; readonly outcome: Outcome };

const [url = '', prefix = '', leaseMs = ''] = process.argv.slice(2);
const redis = await connectRedis({ url });
const keys = new RedisKeys(prefix);
const lease = new WorkerLease(redis, keys, Number(leaseMs));
await lease.start();
const ledger = new RedisLedger(redis, keys, lease);
process.on('message', async (order: LeaseChildOrder) => {
  const result =
    order.do === 'admit' ? await ledger.admit(order.ticket) : await ledger.settle(order.ticket, order.outcome);
  process.send?.({ result, workerId: lease.workerId });
});
process.send?.('ready');
