import type {
  BatchRecord,
  BatchRegistry,
  CommitResult,
  DocumentOutcome,
  Recount,
  RemovedPart,
  SealResult,
  SliceClaimResult,
  SliceProgress,
  StoredBatchState,
} from '../../batches/batch-registry.ts';
import type { SliceCommit } from '../../batches/slice-commit.ts';
import { leadingPause, type Pause, pauseKey } from '../../ledger/pause.ts';
import { batchScope } from '../../ledger/scope.ts';
import { REDIS_FORMAT } from './format-stamp.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisClient } from './redis-options.ts';
import { LOCK, UNLOCK } from './scripts/lock.ts';
import { runScript, script } from './scripts/run-script.ts';
import { CLAIM_SLICE, COMMIT_SLICE, FINISH_BATCH, REPORT_PROGRESS, SEAL_BATCH } from './scripts/slices.ts';

const OUTCOMES: readonly DocumentOutcome[] = ['succeeded', 'failed', 'cancelled', 'expired', 'skipped'];
const OPEN_STATES: ReadonlySet<StoredBatchState> = new Set(['ingesting', 'queued', 'running', 'finalizing']);
const COMMITS_PER_READ = 500;
/** Fields of a batch with a pause each, by its cause. */
const PAUSED = 'paused ';

/**
 * Registers a batch, all of it or nothing. A record without its content's hash is what a process of an older version
 * left that died between its steps: nobody can continue with it, so it is made again.
 *
 * KEYS  1 batch (HASH)  2 batches (ZSET)  3 open batches (SET)  4 format
 * ARGV  1 batch id  2 created at  3 our format  4.. pairs of field and value
 * Returns 1 where it was created, 0 where the id exists
 */
const CREATE_BATCH = script(`
if redis.call('HEXISTS', KEYS[1], 'contentHash') == 1 then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 4))
redis.call('SET', KEYS[4], ARGV[3], 'NX')
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
redis.call('SADD', KEYS[3], ARGV[1])
return 1
`);

/** KEYS 1 batch · ARGV 1 how it ends: nothing is noted of a batch that the server does not know (any more). */
const MARK_ENDING = script(`
if redis.call('HEXISTS', KEYS[1], 'state') == 1 then redis.call('HSET', KEYS[1], 'ending', ARGV[1]) end
`);

/** KEYS 1 batch · ARGV 1 retry: appends it to the list once. */
const ADD_RETRY = script(`
local retries = cjson.decode(redis.call('HGET', KEYS[1], 'retries') or '[]')
for _, known in ipairs(retries) do if known == ARGV[1] then return 0 end end
retries[#retries + 1] = ARGV[1]
redis.call('HSET', KEYS[1], 'retries', cjson.encode(retries))
return 1
`);

/** Longer than a worker waits before it looks at a slice again that it could not work on. */
const UNABLE_FOR_MS = 15_000;

export class RedisBatchRegistry implements BatchRegistry {
  readonly #redis: RedisClient;
  readonly #keys: RedisKeys;

  constructor(redis: RedisClient, keys: RedisKeys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async get(batchId: string): Promise<BatchRecord | undefined> {
    const fields = await this.#redis.hgetall(this.#keys.batch(batchId));
    return fields['state'] === undefined ? undefined : parseRecord(batchId, fields);
  }

  async noteUnable(batchId: string, worker: string, why: string): Promise<void> {
    const key = this.#keys.unable(batchId);
    await this.#redis.multi().hset(key, worker, why).pexpire(key, UNABLE_FOR_MS).exec();
  }

  async unable(batchId: string): Promise<ReadonlyMap<string, string>> {
    return new Map(Object.entries(await this.#redis.hgetall(this.#keys.unable(batchId))));
  }

  async list(limit: number, from = 0): Promise<readonly BatchRecord[]> {
    return await this.#records(await this.#redis.zrevrange(this.#keys.batches, from, from + limit - 1));
  }

  async listOpen(): Promise<readonly BatchRecord[]> {
    const records = await this.#records(await this.#redis.smembers(this.#keys.openBatches));
    return records.filter((record) => OPEN_STATES.has(record.state)).sort((a, b) => a.createdAt - b.createdAt);
  }

  async #records(ids: readonly string[]): Promise<BatchRecord[]> {
    const records = await Promise.all(ids.map((id) => this.get(id)));
    return records.filter((record) => record !== undefined);
  }

  async create(batch: Parameters<BatchRegistry['create']>[0]): Promise<boolean> {
    const { batchId, labels, retried, ...fields } = batch;
    const json = (value: object | undefined) => (value === undefined ? undefined : JSON.stringify(value));
    const stored = withoutUndefined({ ...fields, labels: json(labels), retried: json(retried), state: 'ingesting' });
    const created = await runScript<number>(
      this.#redis,
      CREATE_BATCH,
      [this.#keys.batch(batchId), this.#keys.batches, this.#keys.openBatches, this.#keys.format],
      [batchId, batch.createdAt, REDIS_FORMAT, ...Object.entries(stored).flat()],
    );
    return created === 1;
  }

  async addRetry(batchId: string, retryId: string): Promise<void> {
    await runScript(this.#redis, ADD_RETRY, [this.#keys.batch(batchId)], [retryId]);
  }

  async deleteDraft(batchId: string): Promise<void> {
    await this.#redis.del(this.#keys.batch(batchId));
    await this.#redis.zrem(this.#keys.batches, batchId);
    await this.#redis.srem(this.#keys.openBatches, batchId);
  }

  async erase(batchId: string, slices: number): Promise<void> {
    const keys = this.#keys;
    for (let slice = 0; slice < slices; slice += 1) await this.#redis.unlink(keys.journal(batchId, slice));
    const { name, period } = batchScope(batchId);
    const own = [keys.uncertain(batchId), keys.slices(batchId), keys.fence(batchId)];
    const passing = [
      keys.progress(batchId),
      keys.begun(batchId),
      keys.unable(batchId),
      keys.submission(batchId),
      keys.breakerHistory(name),
      keys.scope(name, period),
    ];
    await this.#redis.unlink(...own, ...passing);
    await this.#redis.hdel(keys.limits, `set:${name}`);
    await this.deleteDraft(batchId);
  }

  async keep(batchId: string, keep: boolean): Promise<void> {
    const key = this.#keys.batch(batchId);
    if (keep) await this.#redis.hset(key, 'kept', 1);
    else await this.#redis.hdel(key, 'kept');
  }

  async noteRemoved(batchId: string, parts: readonly RemovedPart[]): Promise<void> {
    await this.#redis.hset(this.#keys.batch(batchId), 'removed', parts.join(','));
  }

  async queue(batchId: string, counts: { documents: number; inputTokens: number; slices: number }): Promise<void> {
    // Named one by one: a caller's counts may say more, and outcomes are only counted by commits.
    const { documents, inputTokens, slices } = counts;
    await this.#redis.hset(this.#keys.batch(batchId), { documents, inputTokens, slices, state: 'queued' });
  }

  async lockSubmission(batchId: string, owner: string, milliseconds: number): Promise<boolean> {
    return (await runScript<number>(this.#redis, LOCK, [this.#keys.submission(batchId)], [owner, milliseconds])) === 1;
  }

  async unlockSubmission(batchId: string, owner: string): Promise<void> {
    await runScript(this.#redis, UNLOCK, [this.#keys.submission(batchId)], [owner]);
  }

  async claimSlice(batchId: string, slice: number): Promise<SliceClaimResult> {
    const answer = await runScript<Buffer[]>(
      this.#redis,
      CLAIM_SLICE,
      [this.#keys.batch(batchId), this.#keys.fence(batchId)],
      [slice],
    );
    const [kind, token] = answer.map(String);
    return kind === 'owned' ? { kind, token: token ?? '' } : { kind: kind === 'done' ? 'done' : 'gone' };
  }

  async commitSlice(batchId: string, slice: number, token: string, commit: SliceCommit): Promise<CommitResult> {
    const answer = await runScript<Buffer[]>(
      this.#redis,
      COMMIT_SLICE,
      [
        this.#keys.batch(batchId),
        this.#keys.fence(batchId),
        this.#keys.slices(batchId),
        this.#keys.journal(batchId, slice),
        this.#keys.progress(batchId),
        this.#keys.begun(batchId),
      ],
      [
        slice,
        token,
        JSON.stringify(commit),
        commit.journalEntries,
        ...OUTCOMES.flatMap((outcome) => [outcome, commit.outcomes[outcome]]),
      ],
    );
    const [kind, left] = answer.map(String);
    if (kind === 'committed') return { kind, slicesLeft: Number(left) };
    return { kind: kind === 'journal_changed' ? 'journal_changed' : 'fenced' };
  }

  async *commits(batchId: string, slices: number): AsyncIterable<SliceCommit | undefined> {
    for (let from = 0; from < slices; from += COMMITS_PER_READ) {
      const count = Math.min(COMMITS_PER_READ, slices - from);
      const fields = Array.from({ length: count }, (_, index) => String(from + index));
      for (const json of await this.#redis.hmget(this.#keys.slices(batchId), ...fields)) {
        yield json === null ? undefined : (JSON.parse(json) as SliceCommit);
      }
    }
  }

  async commitOf(batchId: string, slice: number): Promise<SliceCommit | undefined> {
    const json = await this.#redis.hget(this.#keys.slices(batchId), String(slice));
    return json === null ? undefined : (JSON.parse(json) as SliceCommit);
  }

  async reportProgress(
    batchId: string,
    slice: number,
    token: string,
    { documents, begun }: SliceProgress,
  ): Promise<void> {
    await runScript(
      this.#redis,
      REPORT_PROGRESS,
      [this.#keys.fence(batchId), this.#keys.progress(batchId), this.#keys.begun(batchId)],
      [slice, token, documents, begun],
    );
  }

  async progress(batchId: string): Promise<SliceProgress> {
    const [counts, costs] = await Promise.all([
      this.#redis.hgetall(this.#keys.progress(batchId)),
      this.#redis.hgetall(this.#keys.begun(batchId)),
    ]);
    const slices = Object.keys(counts);
    const sum = (values: Readonly<Record<string, string>>) =>
      slices.reduce((total, slice) => total + Number(values[slice] ?? 0), 0);
    return { documents: sum(counts), begun: sum(costs) };
  }

  async seal(batchId: string): Promise<SealResult> {
    const scope = batchScope(batchId);
    const answer = await runScript<Buffer[]>(
      this.#redis,
      SEAL_BATCH,
      [
        this.#keys.batch(batchId),
        this.#keys.fence(batchId),
        this.#keys.scope(scope.name, scope.period),
        this.#keys.progress(batchId),
        this.#keys.begun(batchId),
      ],
      [],
    );
    const [kind, detail = ''] = answer.map(String);
    if (kind === 'sealed') return { kind };
    if (kind === 'slices_left' || kind === 'calls_open') return { kind, count: Number(detail) };
    return { kind: 'gone', state: detail as StoredBatchState };
  }

  async finish(
    batchId: string,
    state: 'completed' | 'cancelled' | 'expired' | 'failed',
    at: number,
    parent?: Recount,
  ): Promise<boolean> {
    const parents = parent === undefined ? [] : Object.entries({ ...parent.outcomes, state: parent.state }).flat();
    // The manifest has all of it; a batch of millions must leave nothing behind that grows with it.
    const keys = [
      this.#keys.batch(batchId),
      this.#keys.batch(parent?.batchId ?? batchId),
      this.#keys.slices(batchId),
      this.#keys.openBatches,
    ];
    const ended = await runScript<number>(this.#redis, FINISH_BATCH, keys, [batchId, state, at, ...parents]);
    if (ended === 1) await this.resumeBatch(batchId);
    return ended === 1;
  }

  async pauseBatch(batchId: string, pause: Pause): Promise<boolean> {
    const field = `${PAUSED}${pauseKey(pause)}`;
    return (await this.#redis.hsetnx(this.#keys.batch(batchId), field, JSON.stringify(pause))) === 1;
  }

  async resumeBatch(batchId: string, pause?: Pause): Promise<{ readonly cleared: boolean; readonly left: number }> {
    const pauses = (await this.get(batchId))?.pauses ?? [];
    const ended = pause === undefined ? pauses : pauses.filter((known) => pauseKey(known) === pauseKey(pause));
    if (ended.length === 0) return { cleared: false, left: pauses.length };
    await this.#redis.hdel(this.#keys.batch(batchId), ...ended.map((known) => `${PAUSED}${pauseKey(known)}`));
    return { cleared: true, left: pauses.length - ended.length };
  }

  async markEnding(batchId: string, ending: 'cancelled' | 'expired'): Promise<void> {
    await runScript(this.#redis, MARK_ENDING, [this.#keys.batch(batchId)], [ending]);
  }
}

function withoutUndefined(fields: object): Record<string, string | number> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function parseRecord(batchId: string, fields: Readonly<Record<string, string>>): BatchRecord {
  const count = (name: string) => Number(fields[name] ?? 0);
  const pauses = Object.entries(fields)
    .filter(([name]) => name.startsWith(PAUSED))
    .map(([, json]) => JSON.parse(json) as Pause)
    .sort((a, b) => a.since - b.since);
  const pause = leadingPause(pauses);
  return {
    batchId,
    state: fields['state'] as StoredBatchState,
    workflow: fields['workflow'] ?? '',
    ...(fields['tenant'] === undefined ? {} : { tenant: fields['tenant'] }),
    ...(fields['plan'] === undefined ? {} : { plan: fields['plan'] }),
    priority: count('priority'),
    ...(fields['deadline'] === undefined ? {} : { deadline: count('deadline') }),
    ...(fields['expiresAt'] === undefined ? {} : { expiresAt: count('expiresAt') }),
    ...(fields['name'] === undefined ? {} : { name: fields['name'] }),
    ...(fields['labels'] === undefined ? {} : { labels: JSON.parse(fields['labels']) as Record<string, string> }),
    ...(fields['isTrial'] === undefined ? {} : { isTrial: true }),
    ...(fields['retryOf'] === undefined ? {} : { retryOf: fields['retryOf'] }),
    ...(fields['retried'] === undefined
      ? {}
      : { retried: JSON.parse(fields['retried']) as NonNullable<BatchRecord['retried']> }),
    retries: fields['retries'] === undefined ? [] : (JSON.parse(fields['retries']) as string[]),
    createdAt: count('createdAt'),
    ...(fields['finishedAt'] === undefined ? {} : { finishedAt: count('finishedAt') }),
    contentHash: fields['contentHash'] ?? '',
    sliceDocuments: count('sliceDocuments'),
    sliceTokens: count('sliceTokens'),
    documents: count('documents'),
    inputTokens: count('inputTokens'),
    slices: count('slices'),
    slicesCommitted: count('slicesCommitted'),
    outcomes: Object.fromEntries(OUTCOMES.map((outcome) => [outcome, count(outcome)])) as Record<
      DocumentOutcome,
      number
    >,
    pauses,
    ...(pause === undefined ? {} : { pause }),
    ...(fields['kept'] === undefined ? {} : { kept: true }),
    ...(fields['removed'] === undefined ? {} : { removed: fields['removed'].split(',') as RemovedPart[] }),
    ...(fields['ending'] === undefined ? {} : { ending: fields['ending'] as 'cancelled' | 'expired' }),
  };
}
