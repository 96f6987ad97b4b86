import type { CheckpointData, ClusterMemory, Hashes, RestoredBatch, SpentScope } from '../../batches/cluster-memory.ts';
import { batchScope, type Scope } from '../../ledger/scope.ts';
import type { NanoUsd } from '../../money/money.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisClient } from './redis-options.ts';
import { runScript, script } from './scripts/run-script.ts';

/**
 * Books spending of before the loss in a scope, once.
 *
 * KEYS  1 totals of the scope (HASH)
 * ARGV  1 what is booked, a name of its own  2 settled  3 uncertain (nano-dollars)
 */
const BOOK_ONCE = script(`
if redis.call('HSETNX', KEYS[1], 'recovered ' .. ARGV[1], 1) == 0 then return 0 end
redis.call('HINCRBY', KEYS[1], 'settled', ARGV[2])
redis.call('HINCRBY', KEYS[1], 'uncertain', ARGV[3])
return 1
`);

/**
 * Registers a batch that the server has forgotten, with its committed slices, all of it or nothing. What somebody noted of it
 * since then is no batch.
 *
 * KEYS  1 batch (HASH)  2 batches (ZSET)  3 open batches (SET)  4 slices (HASH)  5 fence (HASH)
 *       6 totals of the batch (HASH)  7 uncertain calls (HASH)
 * ARGV  1 batch id  2 created at  3 '1' where it is open  4 settled  5 uncertain (nano-dollars)
 *       6 JSON object of the batch's fields  7 JSON object slice -> commit (a JSON text)  8 JSON object slice -> fence
 *       9 JSON object call id -> JSON text
 * Returns 1, or 0 where the server knows the batch
 */
const RESTORE_BATCH = script(`
if redis.call('HEXISTS', KEYS[1], 'contentHash') == 1 then return 0 end
local function fill(key, json)
  for field, value in pairs(cjson.decode(json)) do redis.call('HSET', key, field, value) end
end
fill(KEYS[1], ARGV[6])
fill(KEYS[4], ARGV[7])
fill(KEYS[5], ARGV[8])
fill(KEYS[7], ARGV[9])
redis.call('HSET', KEYS[6], 'settled', ARGV[4], 'uncertain', ARGV[5], 'held', 0, 'open', 0)
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
if ARGV[3] == '1' then redis.call('SADD', KEYS[3], ARGV[1]) end
return 1
`);

const IDENTIFY = script(`
redis.call('SET', KEYS[1], ARGV[1], 'NX')
if redis.call('GET', KEYS[1]) == ARGV[1] then return 1 end
return 0
`);

/** Far above the tokens of owners that wrote nothing: a worker from before the loss is fenced off. */
const TOKENS_LEFT_OUT = 1_000_000;
const HASHES_PER_READ = 200;

export class RedisClusterMemory implements ClusterMemory {
  readonly #redis: RedisClient;
  readonly #keys: RedisKeys;

  constructor(redis: RedisClient, keys: RedisKeys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async identity(): Promise<string | undefined> {
    return (await this.#redis.get(this.#keys.identity)) ?? undefined;
  }

  async identify(identity: string): Promise<boolean> {
    return (await runScript<number>(this.#redis, IDENTIFY, [this.#keys.identity], [identity])) === 1;
  }

  async takeTurn(what: string, milliseconds: number): Promise<boolean> {
    return (await this.#redis.set(this.#keys.turn(what), 1, 'PX', milliseconds, 'NX')) === 'OK';
  }

  async noted(name: string): Promise<string | undefined> {
    return (await this.#redis.hget(this.#keys.notes, name)) ?? undefined;
  }

  async note(name: string, value: string): Promise<void> {
    await this.#redis.hset(this.#keys.notes, name, value);
  }

  async read(what: Parameters<ClusterMemory['read']>[0]): Promise<CheckpointData> {
    const keys = this.#keys;
    const names = [
      keys.limits,
      keys.apiKeys,
      keys.apiKeyHashes,
      keys.evidence,
      ...what.batches.flatMap((id) => [keys.batch(id), keys.uncertain(id)]),
      ...what.workflows.flatMap((name) => [
        keys.pauses(name),
        keys.history(name),
        keys.schedule(name),
        keys.scheduleDue(name),
        keys.scheduleRecords(name),
        keys.scheduleChosen(name),
      ]),
    ];
    const prefix = keys.named('').length;
    const hashes: Record<string, Record<string, string>> = {};
    const scopes: SpentScope[] = [];
    for (let from = 0; from < names.length; from += HASHES_PER_READ) {
      const group = names.slice(from, from + HASHES_PER_READ);
      const found = await Promise.all(group.map((key) => this.#redis.hgetall(key)));
      for (const [index, key] of group.entries()) {
        const fields = found[index] ?? {};
        if (Object.keys(fields).length > 0) hashes[key.slice(prefix)] = fields;
      }
    }
    // Batches first: what is settled meanwhile is booked in the day twice after a loss, rather than in the batch alone.
    const isOfBatch = ({ name }: Scope) => name.startsWith('batch:');
    for (const scope of [...what.scopes.filter(isOfBatch), ...what.scopes.filter((scope) => !isOfBatch(scope))]) {
      const totals = await this.#redis.hmget(keys.scope(scope.name, scope.period), 'settled', 'uncertain', 'held');
      const [settled = 0, uncertain = 0, held = 0] = totals.map(Number);
      if (settled + uncertain + held > 0) scopes.push({ ...scope, settled, uncertain, held });
    }
    return { hashes, scopes };
  }

  async restoreHashes(hashes: Hashes): Promise<void> {
    for (const [name, fields] of Object.entries(hashes)) {
      // What was set since then counts.
      for (const [field, value] of Object.entries(fields)) {
        await this.#redis.hsetnx(this.#keys.named(name), field, value);
      }
    }
  }

  async book(scope: Scope, reason: string, settled: NanoUsd, uncertain: NanoUsd): Promise<void> {
    await runScript(this.#redis, BOOK_ONCE, [this.#keys.scope(scope.name, scope.period)], [reason, settled, uncertain]);
  }

  async restoreBatch(batch: RestoredBatch): Promise<boolean> {
    const { record, state, finishedAt, outcomes, fields, commits, tokens, settled, uncertain } = batch;
    const { batchId, labels, retried, createdAt, ...facts } = record;
    const isOpen = finishedAt === undefined;
    const keys = this.#keys;
    const scope = batchScope(batchId);
    const known = {
      ...fields,
      ...facts,
      createdAt,
      state,
      ...outcomes,
      ...(labels === undefined ? {} : { labels: JSON.stringify(labels) }),
      ...(retried === undefined ? {} : { retried: JSON.stringify(retried) }),
      ...(isOpen ? { slicesCommitted: commits.size } : { finishedAt, slicesCommitted: facts.slices }),
    };
    const fences = new Map<number, string | number>();
    for (const [slice, token] of tokens) fences.set(slice, token + TOKENS_LEFT_OUT);
    for (const slice of commits.keys()) fences.set(slice, 'done');
    for (let slice = 0; isOpen && slice < record.slices; slice += 1) {
      if (!fences.has(slice)) fences.set(slice, TOKENS_LEFT_OUT);
    }
    const answer = await runScript<number>(
      this.#redis,
      RESTORE_BATCH,
      [
        keys.batch(batchId),
        keys.batches,
        keys.openBatches,
        keys.slices(batchId),
        keys.fence(batchId),
        keys.scope(scope.name, scope.period),
        keys.uncertain(batchId),
      ],
      [
        batchId,
        createdAt,
        isOpen ? 1 : 0,
        settled,
        uncertain,
        textFields(Object.entries(known)),
        textFields([...commits].map(([slice, commit]) => [slice, JSON.stringify(commit)])),
        textFields(isOpen ? fences : []),
        textFields(Object.entries(batch.uncertainCalls)),
      ],
    );
    return answer === 1;
  }
}

/** Every value as text: Lua would write large numbers in another way. */
function textFields(entries: Iterable<readonly [string | number, unknown]>): string {
  return JSON.stringify(Object.fromEntries([...entries].map(([field, value]) => [field, String(value)])));
}
