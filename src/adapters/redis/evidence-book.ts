import type { EvidenceBook } from '../../calibration/evidence-book.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisClient } from './redis-options.ts';
import { runScript, script } from './scripts/run-script.ts';

/**
 * KEYS  1 evidence (HASH)
 * ARGV  1 field  2 text that is expected, empty for none  3 new text
 */
const SWAP = script(`
local present = redis.call('HGET', KEYS[1], ARGV[1])
if (present or '') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
`);

export class RedisEvidenceBook implements EvidenceBook {
  readonly #redis: RedisClient;
  readonly #keys: RedisKeys;

  constructor(redis: RedisClient, keys: RedisKeys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async get(name: string): Promise<string | undefined> {
    return (await this.#redis.hget(this.#keys.evidence, name)) ?? undefined;
  }

  async swap(name: string, before: string | undefined, after: string): Promise<boolean> {
    return (await runScript<number>(this.#redis, SWAP, [this.#keys.evidence], [name, before ?? '', after])) === 1;
  }
}
