import type { Ledger, QuotaReport } from '../ledger/ledger.ts';
import { zoneOffsetMs } from '../ledger/period.ts';
import type { PoolLimits } from '../ledger/pool-limits.ts';
import type { QuotaNeed } from '../ledger/quota-need.ts';
import type { ProviderGate } from '../providers/provider-gate.ts';
import { type RateLimitDimension, readRateLimits } from '../providers/read-rate-limits.ts';
import type { Clock } from '../runtime/clock.ts';
import { AdmissionQueue } from './admission-queue.ts';
import { quotaMinutes } from './quota-minutes.ts';

/** Headers change little; reading them all would cost more than it tells. */
const READ_HEADERS_EVERY_MS = 1_000;

const LIMIT_NAMES = {
  requests: 'requestsPerMinute',
  tokens: 'tokensPerMinute',
  inputTokens: 'inputTokensPerMinute',
  outputTokens: 'outputTokensPerMinute',
} as const satisfies Readonly<Record<RateLimitDimension, keyof PoolLimits>>;

type Named = Partial<Record<(typeof LIMIT_NAMES)[RateLimitDimension], number>>;

type Headers = Readonly<Record<string, string>>;

interface Pool {
  readonly limits: PoolLimits;
  readonly lines: Map<string, AdmissionQueue>;
  /** Limits that headers have named, as last reported; those without a window apart. */
  readonly seen: Map<RateLimitDimension, number>;
  readonly guessed: Map<RateLimitDimension, number>;
  readAt: number;
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
  line(pool: string, gate: ProviderGate): AdmissionQueue {
    const { lines } = this.#pool(pool);
    let line = lines.get(gate.name);
    if (line === undefined) {
      line = new AdmissionQueue({
        places: gate.places,
        admit: (ticket) => this.#ledger.admit(ticket),
        clock: this.#clock,
        random: this.#random,
      });
      lines.set(gate.name, line);
    }
    return line;
  }

  /** Milliseconds until what a call takes of the quota has come again, as the limits are known here; 0: no limit. */
  paceMs(pool: string, inputTokens: number, outputTokens: number): number {
    const { limits, seen } = this.#pool(pool);
    const known = [...seen].map(([dimension, limit]) => {
      const name = LIMIT_NAMES[dimension];
      return [name, Math.min(limit, limits[name] ?? limit)] as const;
    });
    const { requestsPerDay: _, tokensPerDay: __, ...perMinute } = { ...limits, ...Object.fromEntries(known) };
    return quotaMinutes({ calls: 1, inputTokens, outputTokens }, perMinute) * 60_000;
  }

  /** What a call asks of its pool. Where no limit is known it is counted all the same: a refusal makes a limit of it. */
  need(pool: string, inputTokens: number, outputTokens: number): QuotaNeed {
    const { limits } = this.#pool(pool);
    const { dayTimezone } = limits;
    return {
      pool,
      limits,
      inputTokens,
      outputTokens,
      ...(dayTimezone === undefined ? {} : { dayOffsetMs: zoneOffsetMs(this.#clock.now(), dayTimezone) }),
    };
  }

  /**
   * The provider refused a call because of its limits; the whole cluster slows down.
   *
   * @returns whether it is a blip: a refusal that comes whatever the rate is, for which nobody else need wait
   */
  async refused(pool: string, waitMs: number, headers: Headers = {}): Promise<boolean> {
    await this.observe(pool, headers);
    const report = { refused: true, waitMs, isStated: isStated(this.#pool(pool).limits) };
    return (await this.#report(pool, report))?.isBlip ?? false;
  }

  /** Whether it is time to `observe` the headers of a reply again. */
  looksAtHeaders(pool: string): boolean {
    return this.#clock.monotonic() - this.#pool(pool).readAt >= READ_HEADERS_EVERY_MS;
  }

  /** Learns from the headers of a reply what the account may do, where that is less than the config says. */
  async observe(pool: string, headers: Headers): Promise<void> {
    if (!this.looksAtHeaders(pool)) return;
    const known = this.#pool(pool);
    known.readAt = this.#clock.monotonic();
    const limits: Named = {};
    const guesses: Named = {};
    const states = readRateLimits(headers, this.#clock.now());
    for (const { dimension, limit, untoldLimit, perDay } of states) {
      if (limit !== undefined && perDay === false && known.seen.get(dimension) !== limit) {
        limits[LIMIT_NAMES[dimension]] = limit;
      } else if (untoldLimit !== undefined && known.guessed.get(dimension) !== untoldLimit) {
        guesses[LIMIT_NAMES[dimension]] = untoldLimit;
      }
    }
    if (Object.keys(limits).length + Object.keys(guesses).length === 0) return;
    if ((await this.#report(pool, { limits, guesses, isStated: isStated(known.limits) })) === undefined) return;
    for (const { dimension, limit, untoldLimit, perDay } of states) {
      if (limit !== undefined && perDay === false) known.seen.set(dimension, limit);
      else if (untoldLimit !== undefined) known.guessed.set(dimension, untoldLimit);
    }
  }

  /** It must not fail a call that is settled already: where Redis is away, the next admission says so. */
  async #report(pool: string, report: QuotaReport): Promise<{ readonly isBlip: boolean } | undefined> {
    try {
      return await this.#ledger.reportQuota(pool, report);
    } catch {
      return undefined;
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
        guessed: new Map(),
        readAt: Number.NEGATIVE_INFINITY,
      };
      this.#pools.set(name, pool);
    }
    return pool;
  }
}

function isStated(limits: PoolLimits): boolean {
  return Object.values(LIMIT_NAMES).some((name) => limits[name] !== undefined);
}
