import type { LiveWorker, WorkerRecord, WorkerRegistry } from '../../batches/worker-registry.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisClient } from './redis-options.ts';
import { runScript, script } from './scripts/run-script.ts';

/**
 * KEYS  1 workers (ZSET)  2 what workers say of themselves (HASH)
 * Returns for each worker whose lease is valid: its id, what is left of the lease in milliseconds, its JSON
 */
const LIVE_WORKERS = script(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local live = {}
local leases = redis.call('ZRANGEBYSCORE', KEYS[1], string.format('%.0f', now), '+inf', 'WITHSCORES')
for i = 1, #leases, 2 do
  local record = redis.call('HGET', KEYS[2], leases[i])
  if record then
    live[#live + 1] = leases[i]
    live[#live + 1] = string.format('%.0f', tonumber(leases[i + 1]) - now)
    live[#live + 1] = record
  end
end
return live
`);

export class RedisWorkerRegistry implements WorkerRegistry {
  readonly #redis: RedisClient;
  readonly #keys: RedisKeys;

  constructor(redis: RedisClient, keys: RedisKeys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async live(): Promise<readonly LiveWorker[]> {
    const keys = [this.#keys.workers, this.#keys.workerRecords];
    const fields = (await runScript<Buffer[]>(this.#redis, LIVE_WORKERS, keys, [])).map(String);
    const workers: LiveWorker[] = [];
    for (let at = 0; at < fields.length; at += 3) {
      const [id = '', left = '', json = ''] = fields.slice(at, at + 3);
      const { leaseMs, ...record } = JSON.parse(json) as WorkerRecord & { readonly leaseMs: number };
      workers.push({ id, ...record, heartbeatAgeMs: Math.max(0, leaseMs - Number(left)) });
    }
    return workers.sort((a, b) => (a.id < b.id ? -1 : 1));
  }
}
