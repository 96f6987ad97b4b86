import type { AskingRun, CallOwners } from '../../ledger/call-owners.ts';
import type { SliceClaim } from '../../ledger/ledger.ts';
import { batchScope } from '../../ledger/scope.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisClient } from './redis-options.ts';
import { CLOSE_OWNER, EXTEND_LEASE, OPEN_OWNER } from './scripts/call-owners.ts';
import { runScript } from './scripts/run-script.ts';

const FORGOTTEN_AFTER_MS = 7 * 24 * 3_600_000;
const MAX_CLOSED_AT_ONCE = 100;
/** No batch id has it, so a run's fence and scope are never a batch's. */
const PREFIX = '~';

/** Runs that ask models without being a batch, and leases that outlive a process. */
export class RedisCallOwners implements CallOwners {
  readonly #redis: RedisClient;
  readonly #keys: RedisKeys;

  constructor(redis: RedisClient, keys: RedisKeys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async open({ id, ...run }: AskingRun): Promise<SliceClaim> {
    const batchId = `${PREFIX}${id}`;
    const [token = '', ...forgotten] = (
      await runScript<Buffer[]>(
        this.#redis,
        OPEN_OWNER,
        [this.#keys.callOwners, this.#keys.fence(batchId)],
        [batchId, FORGOTTEN_AFTER_MS, MAX_CLOSED_AT_ONCE],
      )
    ).map(String);
    for (const name of forgotten) await this.#close(name, '');
    return { ...run, batchId, slice: 0, token };
  }

  async close({ batchId, token }: SliceClaim): Promise<boolean> {
    return await this.#close(batchId, token);
  }

  async forget(id: string): Promise<void> {
    await this.#close(`${PREFIX}${id}`, '');
  }

  async #close(batchId: string, token: string): Promise<boolean> {
    const scope = batchScope(batchId);
    const closed = await runScript<number>(
      this.#redis,
      CLOSE_OWNER,
      [
        this.#keys.callOwners,
        this.#keys.fence(batchId),
        this.#keys.journal(batchId, 0),
        this.#keys.uncertain(batchId),
        this.#keys.scope(scope.name, scope.period),
        this.#keys.limits,
      ],
      [batchId, token, scope.name],
    );
    return closed === 1;
  }

  async extendLease(lease: string, milliseconds: number): Promise<boolean> {
    return (await runScript<number>(this.#redis, EXTEND_LEASE, [this.#keys.workers], [lease, milliseconds])) === 1;
  }

  async endLease(lease: string): Promise<void> {
    await this.#redis.zadd(this.#keys.workers, 0, lease);
  }
}
