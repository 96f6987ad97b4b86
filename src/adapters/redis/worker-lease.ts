import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { WorkerRecord } from '../../batches/worker-registry.ts';
import type { RedisKeys } from './keys.ts';
import type { LeaseHolder } from './ledger.ts';
import type { RedisClient } from './redis-options.ts';
import { runScript, script } from './scripts/run-script.ts';

/**
 * KEYS  1 workers (ZSET)  2 what workers say of themselves (HASH)
 * ARGV  1 worker id  2 lease, milliseconds  3 `new` or `renew`  4 JSON of the worker; empty: a lease of no worker
 * Returns 1 where the lease is valid, 0 where it had ended before (a lease that ended is never revived: its holds may
 * have been booked already)
 */
const TAKE_LEASE = script(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if ARGV[3] == 'renew' then
  local lease = redis.call('ZSCORE', KEYS[1], ARGV[1])
  if not lease or tonumber(lease) < now then return 0 end
end
redis.call('ZADD', KEYS[1], string.format('%.0f', now + tonumber(ARGV[2])), ARGV[1])
if ARGV[3] == 'new' then
  for _, id in ipairs(redis.call('HKEYS', KEYS[2])) do
    local other = redis.call('ZSCORE', KEYS[1], id)
    if not other or tonumber(other) < now then redis.call('HDEL', KEYS[2], id) end
  end
end
if ARGV[4] ~= '' then redis.call('HSET', KEYS[2], ARGV[1], ARGV[4]) end
return 1
`);

/**
 * A worker's sign of life. while it is valid, its holds are its own; once it has ended, any other worker books them as
 * uncertain. A process that was stopped for longer than its lease continues under a new worker id.
 */
export class WorkerLease implements LeaseHolder {
  readonly #redis: RedisClient;
  readonly #keys: RedisKeys;
  readonly #leaseMs: number;
  #workerId = newWorkerId();
  #timer: NodeJS.Timeout | undefined;
  #renewal: Promise<void> | undefined;
  #holders = 0;
  #describe: (() => WorkerRecord) | undefined;
  #losses = 0;

  constructor(redis: RedisClient, keys: RedisKeys, leaseMs: number) {
    this.#redis = redis;
    this.#keys = keys;
    this.#leaseMs = leaseMs;
  }

  get workerId(): string {
    return this.#workerId;
  }

  /** Times that it had ended before it was renewed. */
  get losses(): number {
    return this.#losses;
  }

  /** The lease is valid until it is disposed of; several may hold it at once. */
  async hold(): Promise<AsyncDisposable> {
    await this.start();
    return { [Symbol.asyncDispose]: () => this.stop() };
  }

  /** @param describe where this process works on slices: told to the others with each sign of life */
  async start(describe?: () => WorkerRecord): Promise<void> {
    this.#holders += 1;
    this.#describe = describe ?? this.#describe;
    if (this.#holders > 1) {
      if (describe !== undefined) await this.renew();
      return;
    }
    await this.#take('new');
    this.#timer = setInterval(() => void this.renew().catch(() => {}), this.#leaseMs / 3);
    this.#timer.unref();
  }

  renew(): Promise<void> {
    this.#renewal ??= this.#renewOnce().finally(() => {
      this.#renewal = undefined;
    });
    return this.#renewal;
  }

  async #renewOnce(): Promise<void> {
    if (await this.#take('renew')) return;
    this.#losses += 1;
    this.#workerId = newWorkerId();
    await this.#take('new');
  }

  async #take(mode: 'new' | 'renew'): Promise<boolean> {
    const record = this.#describe === undefined ? '' : this.#recordJson(this.#describe());
    const stands = await runScript<number>(
      this.#redis,
      TAKE_LEASE,
      [this.#keys.workers, this.#keys.workerRecords],
      [this.#workerId, this.#leaseMs, mode, record],
    );
    return stands === 1;
  }

  #recordJson(record: WorkerRecord): string {
    return JSON.stringify({ ...record, leaseMs: this.#leaseMs });
  }

  /** The last holder ends the lease at once, so that others need not wait for it. Call when nothing is held any more. */
  async stop(): Promise<void> {
    this.#holders -= 1;
    if (this.#holders > 0) return;
    clearInterval(this.#timer);
    this.#describe = undefined;
    await this.#redis
      .multi()
      .zadd(this.#keys.workers, 0, this.#workerId)
      .hdel(this.#keys.workerRecords, this.#workerId)
      .exec();
  }
}

function newWorkerId(): string {
  return `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
}
