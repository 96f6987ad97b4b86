import type { Ledger } from '../ledger/ledger.ts';
import type { Meter } from '../measures/meter.ts';
import type { TokenPrice } from '../money/price.ts';
import type { PromptPrefixes } from '../providers/prompt-prefixes.ts';
import type { ProviderGate } from '../providers/provider-gate.ts';
import type { Pools } from '../quota/pools.ts';
import type { InputRatios } from '../quota/token-ratios.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { AnswerCache } from './answer-cache.ts';
import type { PriceWatch } from './price-watch.ts';

export interface CallModelContext {
  readonly ledger: Ledger;
  readonly providers: ReadonlyMap<string, ProviderGate>;
  readonly pools: Pools;
  readonly prefixes: PromptPrefixes;
  readonly clock: Clock;
  /** Absent where the workflow does not ask for it. */
  readonly cache?: AnswerCache;
  /** What is known of the models' own token counts. */
  readonly ratios: InputRatios;
  /** Watches whether the prices in use are those that providers state. Absent: nobody looks. */
  readonly prices?: PriceWatch;
  /** Of any model of a provider, by the provider's own name of it; absent or undefined: not known. */
  readonly priceOf?: (provider: string, modelId: string) => TokenPrice | undefined;
  /** 0 to 1, for jitter. */
  readonly random: () => number;
  readonly newId: () => string;
  readonly log: Log;
  /** Told of each call. Absent: nobody measures. */
  readonly meter?: Meter;
  /** Tries of one call that fails for a passing reason. */
  readonly maxAttempts: number;
}
