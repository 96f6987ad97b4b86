import type { ApiKey, KeyRegistry } from '../../access/api-key.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisClient } from './redis-options.ts';
import { runScript, script } from './scripts/run-script.ts';

/**
 * Adds a key whose name is not taken.
 *
 * KEYS  1 keys (HASH name -> JSON)  2 hashes (HASH hash -> name)
 * ARGV  1 name  2 JSON  3 hash
 * Returns 1 if added
 */
const ADD = script(`
if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
redis.call('HSET', KEYS[2], ARGV[3], ARGV[1])
return 1
`);

export class RedisKeyRegistry implements KeyRegistry {
  readonly #redis: RedisClient;
  readonly #keys: RedisKeys;

  constructor(redis: RedisClient, keys: RedisKeys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async add(key: ApiKey): Promise<boolean> {
    const { apiKeys, apiKeyHashes } = this.#keys;
    return (
      (await runScript(this.#redis, ADD, [apiKeys, apiKeyHashes], [key.name, JSON.stringify(key), key.hash])) === 1
    );
  }

  async list(): Promise<readonly ApiKey[]> {
    const all = (await this.#redis.hvals(this.#keys.apiKeys)).map((json) => JSON.parse(json) as ApiKey);
    return all.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async findByHash(hash: string): Promise<ApiKey | undefined> {
    const name = await this.#redis.hget(this.#keys.apiKeyHashes, hash);
    return name === null ? undefined : await this.#get(name);
  }

  async revoke(name: string, at: number): Promise<ApiKey | undefined> {
    const before = await this.#get(name);
    // A revoked key stays revoked, so whoever writes last changes nothing but the moment.
    if (before !== undefined && before.revokedAt === undefined) {
      await this.#redis.hset(this.#keys.apiKeys, name, JSON.stringify({ ...before, revokedAt: at }));
    }
    return before;
  }

  async #get(name: string): Promise<ApiKey | undefined> {
    const json = await this.#redis.hget(this.#keys.apiKeys, name);
    return json === null ? undefined : (JSON.parse(json) as ApiKey);
  }
}
