import type { CostFigures } from '../../batches/cost-figures.ts';
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
 * A batch of another version of the workflow starts the sums over.
 */
const ADD = script(`
if redis.call('EXISTS', KEYS[2]) == 0 or redis.call('HSETNX', KEYS[2], 'inHistory', '1') == 0 then return 0 end
local decay = tonumber(ARGV[1])
if redis.call('HGET', KEYS[1], 'configHash') ~= ARGV[2] then redis.call('DEL', KEYS[1]) end
redis.call('HSET', KEYS[1], 'configHash', ARGV[2])
redis.call('HINCRBY', KEYS[1], 'batches', 1)
if ARGV[3] ~= '' then redis.call('HSETNX', KEYS[1], 'firstAt', ARGV[3]) end
local sums = {}
local known = redis.call('HGETALL', KEYS[1])
for i = 1, #known, 2 do
  if known[i] ~= 'configHash' and known[i] ~= 'batches' and known[i] ~= 'firstAt' then
    sums[known[i]] = tonumber(known[i + 1]) * decay
  end
end
for i = 4, #ARGV, 2 do sums[ARGV[i]] = (sums[ARGV[i]] or 0) + tonumber(ARGV[i + 1]) end
for field, sum in pairs(sums) do redis.call('HSET', KEYS[1], field, string.format('%.17g', sum)) end
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
      ...(fields['answered'] === undefined ? {} : { figures: readFigures(fields) }),
    };
  }

  async add(workflow: string, sample: BatchSample): Promise<void> {
    const { documents, cost, inputTokens, seconds, figures } = sample;
    const sums = { documents, cost, inputTokens, seconds, ...(figures === undefined ? {} : figureFields(figures)) };
    await runScript(
      this.#redis,
      ADD,
      [this.#keys.history(workflow), this.#keys.batch(sample.batchId)],
      [HISTORY_DECAY, sample.configHash, sample.finishedAt ?? '', ...Object.entries(sums).flat()],
    );
  }
}

/** Fields of a model's sums are these and its name. */
const TOKENS = 'tokens:';
const COST = 'cost:';
/** And of a tier's, its index. */
const BY_TIER = 'tier:';
const STARTS = 'start:';

function figureFields({ models, byTier = {}, starts = {}, ...counts }: CostFigures): Readonly<Record<string, number>> {
  const byModel = Object.entries(models).flatMap(([model, { tokens, cost }]): [string, number][] => [
    [`${TOKENS}${model}`, tokens],
    [`${COST}${model}`, cost],
  ]);
  const named = (prefix: string, amounts: Readonly<Record<string, number>>) =>
    Object.entries(amounts).map(([name, amount]): [string, number] => [`${prefix}${name}`, amount]);
  return { ...counts, ...Object.fromEntries([...byModel, ...named(BY_TIER, byTier), ...named(STARTS, starts)]) };
}

function readFigures(fields: Readonly<Record<string, string>>): CostFigures {
  const count = (name: string) => Number(fields[name] ?? 0);
  const names = Object.keys(fields).flatMap((field) => (field.startsWith(TOKENS) ? [field.slice(TOKENS.length)] : []));
  const amounts = (prefix: string) =>
    Object.fromEntries(
      Object.keys(fields).flatMap((field) =>
        field.startsWith(prefix) ? [[field.slice(prefix.length), count(field)]] : [],
      ),
    );
  const [byTier, starts] = [amounts(BY_TIER), amounts(STARTS)];
  return {
    ...(Object.keys(byTier).length === 0 ? {} : { byTier }),
    ...(Object.keys(starts).length === 0 ? {} : { starts }),
    answered: count('answered'),
    byFirstTier: count('byFirstTier'),
    calls: count('calls'),
    retries: count('retries'),
    models: Object.fromEntries(
      names.map((model) => [model, { tokens: count(`${TOKENS}${model}`), cost: count(`${COST}${model}`) }]),
    ),
  };
}
