/** Ways in which a simulated call goes wrong; docs/simulator.md says what each does and whether it is billed. */
export const FAULT_NAMES = [
  'serverError',
  'rateLimited',
  'hang',
  'resetAfterBilling',
  'resetBeforeBilling',
  'garbage',
  'truncated',
  'wrongLabel',
  'slow',
  'refusal',
  'badJson',
  'blip',
  'empty',
  'promptCut',
] as const;

export type FaultName = (typeof FAULT_NAMES)[number];

/** Share of calls that each fault hits, 0 to 1; absent means 0. Together at most 1: a call has one fault at most. */
export type FaultRates = Readonly<Partial<Record<FaultName, number>>>;

/** Quota of one model. An absent dimension is not limited. */
export interface RateLimits {
  readonly requestsPerMinute?: number;
  /** Input and output tokens together. */
  readonly tokensPerMinute?: number;
  readonly inputTokensPerMinute?: number;
  readonly outputTokensPerMinute?: number;
  /** Calls at the same time. */
  readonly concurrency?: number;
}

/** How a provider keeps and tells its limits. */
export interface LimitManners {
  /** A refused request is taken off the limit as well. Default false. */
  readonly refusalsCount?: boolean;
  /** Which `x-ratelimit-…` headers replies carry. Default `all`. */
  readonly headers?: 'all' | 'noReset' | 'none';
  /** `continuous`: buckets of one second of burst; `minute`: counted again in each minute. Default `continuous`. */
  readonly window?: 'continuous' | 'minute';
  /** How a 429 says when to come back: to the millisecond, in whole seconds (`retry-after` alone), or not at all. Default `exact`. */
  readonly waits?: 'exact' | 'seconds' | 'none';
}

/** Thinking that the output cap does not bound. */
export interface ThinkingBeyondCap {
  readonly tokens: number;
  /** It begins after so many billed calls of the model. Default 0. */
  readonly afterCalls?: number;
}

/** Log-normal: when the reply's last byte leaves. */
export interface SimulatedLatency {
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** The headers of a reply that will be one leave after so many, its body when it is done. Default: both together. */
  readonly firstByteMs?: number;
}

export interface SimulatedModelOptions {
  /** Decimal dollars. `cachedInputPerMillion` defaults to `inputPerMillion`. */
  readonly price: {
    readonly inputPerMillion: number | string;
    readonly cachedInputPerMillion?: number | string;
    readonly outputPerMillion: number | string;
  };
  /** Default: all 0, the reply leaves at once. */
  readonly latency?: SimulatedLatency;
  /** Input and output together. */
  readonly contextTokens: number;
  /** The most that `max_tokens` may ask for, and what a request without it gets. Default: 4096 or the context. */
  readonly maxOutputTokens?: number;
  /** Share of documents that get the label of the rule (or of `truthFile`), 0 to 1. Default: 0.9. */
  readonly accuracy?: number;
  readonly limits?: RateLimits;
  /**
   * Calls that it works on at once; others wait in line, and those whose client has gone leave it unbilled. Absent: all.
   */
  readonly slots?: number;
  readonly manners?: LimitManners;
  /** Billed on top of each reply, whatever `max_tokens` says. Default: none. */
  readonly thinksBeyondCap?: ThinkingBeyondCap;
}

/** What `startSimulator` takes; also the content of the JSON file. */
export interface SimulatorOptions {
  /** Default 0: any free port. */
  readonly port?: number;
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** Decides answers, latencies and faults. Default 1. */
  readonly seed?: number;
  /** Requests with another key get the provider's 401. Absent: every key is good. */
  readonly apiKey?: string;
  /** Default: `small-2026-01-01` and `large-2026-01-01`. */
  readonly models?: Readonly<Record<string, SimulatedModelOptions>>;
  readonly faults?: FaultRates;
  /** Whether a call that hangs is billed when it starts to hang. Default false. */
  readonly hangBills?: boolean;
  /** Lines are appended here, one for each billed call, before its reply leaves. */
  readonly billFile?: string;
  /** `exact`: o200k tokens; `bytes/4`: a quarter of the UTF-8 bytes, for speed. Default `exact`. */
  readonly tokenCounting?: 'exact' | 'bytes/4';
  /** Bill a repeated beginning of 1024 tokens or more at the cached rate for five minutes. Default false. */
  readonly promptCache?: boolean;
  /** JSON Lines of `{"text", "label"}`: the right label of a document with exactly this text. */
  readonly truthFile?: string;
}

export const DEFAULT_MODELS: Readonly<Record<string, SimulatedModelOptions>> = {
  'small-2026-01-01': {
    price: { inputPerMillion: 0.15, cachedInputPerMillion: 0.075, outputPerMillion: 0.6 },
    latency: { p50Ms: 300, p95Ms: 900 },
    contextTokens: 32_768,
    maxOutputTokens: 4096,
    accuracy: 0.88,
  },
  'large-2026-01-01': {
    price: { inputPerMillion: 2.5, outputPerMillion: 10 },
    latency: { p50Ms: 800, p95Ms: 2500 },
    contextTokens: 128_000,
    maxOutputTokens: 8192,
    accuracy: 0.97,
  },
};
