import type { Pause } from '../ledger/pause.ts';
import { FAILURE_RULES, type ModelCallError } from '../providers/failure.ts';
import { backoffMs } from '../runtime/backoff.ts';
import type { StopError } from './stop.ts';

/** Waits that a provider asks for do not count as attempts, but they end some time. */
const MAX_WAITS = 200;
/** For a longer wait the slice goes back and its workflow rests. */
const LONGEST_WAIT_MS = 60_000;

export interface Tries {
  /** 1 for the first. */
  readonly attempt: number;
  readonly waits: number;
  readonly maxAttempts: number;
}

export type RetryDecision =
  | { readonly kind: 'retry'; readonly delayMs: number; readonly counts: 'attempt' | 'wait' }
  | { readonly kind: 'fail' }
  | { readonly kind: 'stop'; readonly reason: StopError['reason'] };

/**
 * What a failure of one try means for the call, by the table of failure classes.
 *
 * @param isOutOfPatience the provider has failed for longer than its patience
 */
export function decideRetry(
  error: ModelCallError,
  provider: string,
  tries: Tries,
  { now, random, isOutOfPatience }: { now: number; random: () => number; isOutOfPatience: boolean },
): RetryDecision {
  const rule = FAILURE_RULES[error.failure];
  const stop = (hold: Partial<Pause>): RetryDecision => ({
    kind: 'stop',
    reason: { kind: 'provider', provider, hold: { cause: 'provider', reason: error.message, since: now, ...hold } },
  });
  if (error.failure === 'aborted') return { kind: 'stop', reason: { kind: 'shutdown' } };
  if (needsPerson(error)) return stop({ retry: false });
  if (rule.retry === 'never') return { kind: 'fail' };
  if (rule.retry === 'after_wait') {
    const delayMs = error.retryAfterMs ?? backoffMs(tries.waits + 1, random);
    if (delayMs > LONGEST_WAIT_MS) return stop({ retry: true, retryAt: now + delayMs });
    if (tries.waits >= MAX_WAITS) return stop({ retry: true });
    return { kind: 'retry', delayMs: delayMs * (1 + random() * 0.25), counts: 'wait' };
  }
  if (isOutOfPatience) return stop({ retry: true });
  // Out of reach is the provider's state, not this call's: patience decides, not a count of tries.
  if (error.failure !== 'unreachable' && tries.attempt >= tries.maxAttempts) return { kind: 'fail' };
  return {
    kind: 'retry',
    delayMs: Math.max(error.retryAfterMs ?? 0, backoffMs(tries.attempt, random)),
    counts: 'attempt',
  };
}

/** A wrong key, an empty account, a wrong model name or URL fails every document alike; documents are not to blame. */
export function needsPerson(error: ModelCallError): boolean {
  return FAILURE_RULES[error.failure].pausesProvider || error.status === 404;
}
