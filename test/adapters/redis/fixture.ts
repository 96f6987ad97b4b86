import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { RedisBatchRegistry } from '../../../src/adapters/redis/batches.ts';
import { RedisKeys } from '../../../src/adapters/redis/keys.ts';
import { RedisLedger } from '../../../src/adapters/redis/ledger.ts';
import { WorkerLease } from '../../../src/adapters/redis/worker-lease.ts';
import { ContractCluster } from '../../contract/cluster.ts';

const LEASE_MS = 60_000;

export interface TestWorker {
  readonly lease: WorkerLease;
  readonly ledger: RedisLedger;
}

/** The money core on its own keys of a shared server. */
export class Cluster extends ContractCluster<TestWorker> {
  readonly redis: Redis;
  readonly prefix = `test-${randomUUID()}`;
  readonly keys = new RedisKeys(this.prefix);
  readonly batches: RedisBatchRegistry;
  readonly #leases: WorkerLease[] = [];

  constructor(redis: Redis) {
    super();
    this.redis = redis;
    this.batches = new RedisBatchRegistry(redis, this.keys);
  }

  async worker(leaseMs = LEASE_MS): Promise<TestWorker> {
    const lease = new WorkerLease(this.redis, this.keys, leaseMs);
    await lease.start();
    this.#leases.push(lease);
    return { lease, ledger: new RedisLedger(this.redis, this.keys, lease, 0) };
  }

  async endLease(workerId: string): Promise<void> {
    await this.redis.zadd(this.keys.workers, 1, workerId);
  }

  async stop(): Promise<void> {
    for (const lease of this.#leases) await lease.stop();
  }
}
