import type {
  BatchStep,
  BatchSteps,
  CompatBatch,
  FileRecord,
  OpenAiRecords,
  ScanOptions,
} from '../../compat/openai-records.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisClient } from './redis-options.ts';
import { runScript, script } from './scripts/run-script.ts';

const MAX_CONCURRENT_READS = 100;
const LAST_STEPS: ReadonlySet<BatchStep> = new Set(['refused', 'ended']);

/**
 * Adds a file.
 *
 * KEYS  1 files (HASH id -> JSON)  2 order (ZSET)  3 serial (STRING)  4 uploads (HASH)
 * ARGV  1 id  2 JSON
 */
const ADD_FILE = script(`
redis.call('HDEL', KEYS[4], ARGV[1])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], redis.call('INCR', KEYS[3]), ARGV[1])
return 1
`);

/**
 * Adds a batch whose id is not there.
 *
 * KEYS  1 batch (HASH)  2 order (ZSET)  3 serial (STRING)  4 open batches (SET)
 * ARGV  1 id  2 JSON of what was asked for
 * Returns 1 if added
 */
const ADD_BATCH = script(`
if redis.call('HSETNX', KEYS[1], 'request', ARGV[2]) == 0 then return 0 end
redis.call('ZADD', KEYS[2], redis.call('INCR', KEYS[3]), ARGV[1])
redis.call('SADD', KEYS[4], ARGV[1])
return 1
`);

/**
 * Notes a step of a batch once.
 *
 * KEYS  1 batch (HASH)  2 open batches (SET)
 * ARGV  1 id  2 step  3 JSON  4 1: it is the last one
 * Returns 1 if noted
 */
const NOTE_STEP = script(`
if redis.call('HSETNX', KEYS[1], ARGV[2], ARGV[3]) == 0 then return 0 end
if ARGV[4] == '1' then redis.call('SREM', KEYS[2], ARGV[1]) end
return 1
`);

export class RedisOpenAiRecords implements OpenAiRecords {
  readonly #redis: RedisClient;
  readonly #keys: RedisKeys;

  constructor(redis: RedisClient, keys: RedisKeys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async noteUpload(id: string, at: number): Promise<void> {
    await this.#redis.hset(this.#keys.openAiUploads, id, at);
  }

  async abandonedUploads(before: number): Promise<readonly string[]> {
    const begun = Object.entries(await this.#redis.hgetall(this.#keys.openAiUploads));
    return begun.filter(([, at]) => Number(at) < before).map(([id]) => id);
  }

  async forgetUpload(id: string): Promise<void> {
    await this.#redis.hdel(this.#keys.openAiUploads, id);
  }

  async addFile(file: FileRecord): Promise<void> {
    const { openAiFiles, openAiSerial, openAiUploads } = this.#keys;
    const keys = [openAiFiles, this.#keys.openAiOrder('files'), openAiSerial, openAiUploads];
    await runScript(this.#redis, ADD_FILE, keys, [file.id, JSON.stringify(file)]);
  }

  async getFile(id: string): Promise<FileRecord | undefined> {
    const json = await this.#redis.hget(this.#keys.openAiFiles, id);
    return json === null ? undefined : (JSON.parse(json) as FileRecord);
  }

  async *scanFiles(options: ScanOptions): AsyncGenerator<FileRecord, void, undefined> {
    for await (const ids of this.#scan('files', options)) {
      for (const json of await this.#redis.hmget(this.#keys.openAiFiles, ...ids)) {
        if (json !== null) yield JSON.parse(json) as FileRecord;
      }
    }
  }

  async removeFile(id: string): Promise<void> {
    await this.#redis.hdel(this.#keys.openAiFiles, id);
  }

  async wasAdded(kind: 'files' | 'batches', id: string): Promise<boolean> {
    return (await this.#redis.zscore(this.#keys.openAiOrder(kind), id)) !== null;
  }

  async addBatch({ id, ...request }: CompatBatch): Promise<boolean> {
    const { openAiSerial, openAiOpenBatches } = this.#keys;
    const keys = [this.#keys.openAiBatch(id), this.#keys.openAiOrder('batches'), openAiSerial, openAiOpenBatches];
    return (await runScript<number>(this.#redis, ADD_BATCH, keys, [id, JSON.stringify(request)])) === 1;
  }

  async getBatch(id: string): Promise<CompatBatch | undefined> {
    const { request, ...steps } = await this.#redis.hgetall(this.#keys.openAiBatch(id));
    if (request === undefined) return undefined;
    const noted = Object.entries(steps).map(([step, json]) => [step, JSON.parse(json)] as const);
    return { id, ...JSON.parse(request), ...Object.fromEntries(noted) } as CompatBatch;
  }

  async *scanBatches(options: ScanOptions): AsyncGenerator<CompatBatch, void, undefined> {
    for await (const ids of this.#scan('batches', options)) {
      for (const batch of await Promise.all(ids.map((id) => this.getBatch(id)))) {
        if (batch !== undefined) yield batch;
      }
    }
  }

  async openBatches(): Promise<readonly string[]> {
    return await this.#redis.smembers(this.#keys.openAiOpenBatches);
  }

  async noteStep<S extends BatchStep>(id: string, step: S, value: BatchSteps[S]): Promise<boolean> {
    const keys = [this.#keys.openAiBatch(id), this.#keys.openAiOpenBatches];
    const last = LAST_STEPS.has(step) ? 1 : 0;
    return (await runScript<number>(this.#redis, NOTE_STEP, keys, [id, step, JSON.stringify(value), last])) === 1;
  }

  /** Ids in groups. Goes on from the number of the last id, so that what is added or removed meanwhile moves nothing. */
  async *#scan(
    kind: 'files' | 'batches',
    { after, newestFirst }: ScanOptions,
  ): AsyncGenerator<readonly string[], void, undefined> {
    const order = this.#keys.openAiOrder(kind);
    let start = newestFirst ? '+inf' : '-inf';
    if (after !== undefined) {
      const number = await this.#redis.zscore(order, after);
      if (number === null) return;
      start = `(${number}`;
    }
    for (;;) {
      const found: readonly string[] = newestFirst
        ? await this.#redis.zrevrangebyscore(order, start, '-inf', 'WITHSCORES', 'LIMIT', 0, MAX_CONCURRENT_READS)
        : await this.#redis.zrangebyscore(order, start, '+inf', 'WITHSCORES', 'LIMIT', 0, MAX_CONCURRENT_READS);
      if (found.length > 0) yield found.filter((_, index) => index % 2 === 0);
      if (found.length < MAX_CONCURRENT_READS * 2) return;
      start = `(${found.at(-1)}`;
    }
  }
}
