import type { AuditEntry, AuditLog, AuditRecord } from '../../access/audit-log.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisClient } from './redis-options.ts';

/** About a year of a busy team; the oldest leave. */
const MAX_ENTRIES = 200_000;

/** A Redis stream: its ids order the entries and cannot be written again. */
export class RedisAuditLog implements AuditLog {
  readonly #redis: RedisClient;
  readonly #key: string;

  constructor(redis: RedisClient, keys: RedisKeys) {
    this.#redis = redis;
    this.#key = keys.audit;
  }

  async append(entry: AuditEntry): Promise<void> {
    await this.#redis.xadd(this.#key, 'MAXLEN', '~', MAX_ENTRIES, '*', 'entry', JSON.stringify(entry));
  }

  async list(limit: number, before?: string): Promise<readonly AuditRecord[]> {
    const end = before === undefined ? '+' : `(${before}`;
    const found = await this.#redis.xrevrange(this.#key, end, '-', 'COUNT', limit);
    return found.map(([id, [, json = '{}']]) => ({ id, ...(JSON.parse(json) as AuditEntry) }));
  }

  async removeBefore(at: number): Promise<void> {
    await this.#redis.xtrim(this.#key, 'MINID', at);
  }
}
