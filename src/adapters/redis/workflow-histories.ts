import type { WorkflowHistories } from '../../batches/workflow-histories.ts';
import { type BatchSample, HISTORY_DECAY, type WorkflowHistory } from '../../batches/workflow-history.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisClient } from './redis-options.ts';
import { runScript, script } from './scripts/run-script.ts';

/**
 * Adds a batch to its workflow's history, once.
 *
 * KEYS  1 history (HASH)  2 batch (HASH)
 * ARGV  1 decay  2 config hash  3 when it was finished, or empty  4.. pairs of field and amount
 * Returns 1 if added, 0 if the batch was added before or is unknown
 * A batch of another version of the workflow starts the sums anew.
 */
const ADD = script(`
if redis.call('EXISTS', KEYS[2]) == 0 or redis.call('HSETNX', KEYS[2], 'inHistory', '1') == 0 then return 0 end
local decay = tonumber(ARGV[1])
if redis.call('HGET', KEYS[1], 'configHash') ~= ARGV[2] then redis.call('DEL', KEYS[1]) end
redis.call('HSET', KEYS[1], 'configHash', ARGV[2])
redis.call('HINCRBY', KEYS[1], 'batches', 1)
if ARGV[3] ~= '' then redis.call('HSETNX', KEYS[1], 'firstAt', ARGV[3]) end
for i = 4, #ARGV, 2 do
  local sum = tonumber(redis.call('HGET', KEYS[1], ARGV[i]) or 0) * decay + tonumber(ARGV[i + 1])
  redis.call('HSET', KEYS[1], ARGV[i], string.format('%.17g', sum))
end
return 1
`);

export class RedisWorkflowHistories implements WorkflowHistories {
  readonly #redis: RedisClient;
  readonly #keys: RedisKeys;

  constructor(redis: RedisClient, keys: RedisKeys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async get(workflow: string): Promise<WorkflowHistory | undefined> {
    const fields = await this.#redis.hgetall(this.#keys.history(workflow));
    const { configHash, firstAt } = fields;
    if (configHash === undefined) return undefined;
    const sum = (name: string) => Number(fields[name] ?? 0);
    return {
      configHash,
      batches: sum('batches'),
      documents: sum('documents'),
      cost: sum('cost'),
      inputTokens: sum('inputTokens'),
      seconds: sum('seconds'),
      ...(firstAt === undefined ? {} : { firstAt: Number(firstAt) }),
    };
  }

  async add(workflow: string, sample: BatchSample): Promise<void> {
    const { documents, cost, inputTokens, seconds } = sample;
    await runScript(
      this.#redis,
      ADD,
      [this.#keys.history(workflow), this.#keys.batch(sample.batchId)],
      [
        HISTORY_DECAY,
        sample.configHash,
        sample.finishedAt ?? '',
        ...Object.entries({ documents, cost, inputTokens, seconds }).flat(),
      ],
    );
  }
}
