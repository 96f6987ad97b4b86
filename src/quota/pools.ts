import type { Ledger, QuotaReport } from '../ledger/ledger.ts';
import type { PoolLimits } from '../ledger/pool-limits.ts';
import { hasLimits, type QuotaNeed } from '../ledger/quota-need.ts';
import type { ProviderGate } from '../providers/provider-gate.ts';
import { type RateLimitDimension, readRateLimits } from '../providers/read-rate-limits.ts';
import type { Clock } from '../runtime/clock.ts';
import { PoolLine } from './admission-queue.ts';

/** Headers change little; reading them all would cost more than it tells. */
const READ_HEADERS_EVERY_MS = 1_000;

const LIMIT_NAMES = {
  requests: 'requestsPerMinute',
  tokens: 'tokensPerMinute',
  inputTokens: 'inputTokensPerMinute',
  outputTokens: 'outputTokensPerMinute',
} as const satisfies Readonly<Record<RateLimitDimension, keyof PoolLimits>>;

type Headers = Readonly<Record<string, string>>;

interface Pool {
  readonly limits: PoolLimits;
  readonly lines: Map<string, PoolLine>;
  /** Limits that headers have named, as last reported. */
  readonly seen: Map<RateLimitDimension, number>;
  readAt: number;
  /** It has limits, whether we were told of them or met them. */
  isLimited: boolean;
}

/** The provider quotas that this process works under, by pool. */
export class Pools {
  readonly #limits: ReadonlyMap<string, PoolLimits>;
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #pools = new Map<string, Pool>();

  constructor(options: {
    readonly limits: ReadonlyMap<string, PoolLimits>;
    readonly ledger: Ledger;
    readonly clock: Clock;
    readonly random: () => number;
  }) {
    this.#limits = options.limits;
    this.#ledger = options.ledger;
    this.#clock = options.clock;
    this.#random = options.random;
  }

  /** Where calls to `pool` through this provider wait. */
  line(pool: string, gate: ProviderGate): PoolLine {
    const { lines } = this.#pool(pool);
    let line = lines.get(gate.name);
    if (line === undefined) {
      line = new PoolLine({
        places: gate.places,
        admit: (ticket) => this.#ledger.admit(ticket),
        clock: this.#clock,
        random: this.#random,
      });
      lines.set(gate.name, line);
    }
    return line;
  }

  /** What a call asks of its pool; undefined where nothing is known to be limited. */
  need(pool: string, inputTokens: number, outputTokens: number): QuotaNeed | undefined {
    const { limits, isLimited } = this.#pool(pool);
    return isLimited ? { pool, limits, inputTokens, outputTokens } : undefined;
  }

  /** The provider refused a call because of its limits; the whole cluster slows down. */
  async refused(pool: string, waitMs: number): Promise<void> {
    this.#pool(pool).isLimited = true;
    await this.#report(pool, { refused: true, waitMs });
  }

  /** Learns from the headers of a reply what the account may do, where that is less than the config says. */
  async observe(pool: string, headers: Headers): Promise<void> {
    const known = this.#pool(pool);
    const now = this.#clock.monotonic();
    if (now - known.readAt < READ_HEADERS_EVERY_MS) return;
    known.readAt = now;
    const limits: Partial<Record<(typeof LIMIT_NAMES)[RateLimitDimension], number>> = {};
    const news: [RateLimitDimension, number][] = [];
    for (const { dimension, limit, perDay } of readRateLimits(headers, this.#clock.now())) {
      if (limit === undefined || perDay !== false || known.seen.get(dimension) === limit) continue;
      limits[LIMIT_NAMES[dimension]] = limit;
      news.push([dimension, limit]);
    }
    if (news.length === 0) return;
    known.isLimited = true;
    if (!(await this.#report(pool, { limits }))) return;
    for (const [dimension, limit] of news) known.seen.set(dimension, limit);
  }

  /** It must not fail a call that is settled already: where Redis is away, the next admission says so. */
  async #report(pool: string, report: QuotaReport): Promise<boolean> {
    try {
      await this.#ledger.reportQuota(pool, report);
      return true;
    } catch {
      return false;
    }
  }

  #pool(name: string): Pool {
    let pool = this.#pools.get(name);
    if (pool === undefined) {
      const limits = this.#limits.get(name) ?? {};
      pool = {
        limits,
        lines: new Map(),
        seen: new Map(),
        readAt: Number.NEGATIVE_INFINITY,
        isLimited: hasLimits(limits),
      };
      this.#pools.set(name, pool);
    }
    return pool;
  }
}
