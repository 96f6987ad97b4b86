import type { Pause } from '../ledger/pause.ts';
import type { AccessEvidence } from '../providers/access-record.ts';
import { FAILURE_RULES, type ModelCallError } from '../providers/failure.ts';
import { backoffMs } from '../runtime/backoff.ts';
import type { StopError } from './stop.ts';

/** Waits that a provider asks for do not count as attempts, but they end some time. */
const MAX_WAITS = 200;
/** For a longer wait the slice goes back and its workflow rests. */
const LONGEST_WAIT_MS = 60_000;
/** A wait of 0, or until a time that has passed, says nothing. */
const MIN_STATED_WAIT_MS = 1_000;
/** A refusal of key, model or URL may be a blip: it is asked again after so long, so often. */
const REFUSAL_RETRY_MS = 1_000;
const MAX_REFUSALS = 3;
/** So many different documents refused in a row, and none succeeded: the config or the account is at fault. */
const REFUSED_IN_A_ROW = { everWorked: 6, neverWorked: 3 } as const;
/** The server says that it cannot serve at all, whatever it is asked. */
const UNAVAILABLE_STATUS: ReadonlySet<number> = new Set([408, 425, 502, 503, 504, 520, 521, 522, 523, 524, 529]);
/** Everything sent there fails alike: a wrong path, method, host or header. */
const CONFIG_STATUS: ReadonlySet<number> = new Set([404, 405, 406, 410, 415, 418, 421, 431, 451]);
/** Firewalls answer so to one text among others, a redirect to their page as well. */
const FIREWALL_STATUS: ReadonlySet<number> = new Set([405, 406, 418, 451]);

export interface Tries {
  /** 1 for the first. */
  readonly attempt: number;
  readonly waits: number;
  readonly maxAttempts: number;
}

export type RetryDecision =
  | { readonly kind: 'retry'; readonly delayMs: number; readonly counts: 'attempt' | 'wait' }
  /** `code`: of the error row, where the failure's own class does not say it. */
  | { readonly kind: 'fail'; readonly code?: string }
  | { readonly kind: 'stop'; readonly reason: StopError['reason'] };

export interface RetryContext {
  readonly now: number;
  readonly random: () => number;
  /** The provider has failed for longer than its patience. */
  readonly isOutOfPatience: boolean;
  /** The provider has answered other calls since this one failed first. */
  readonly othersSucceed?: boolean;
  /** Of a refusal that `needsOperator`; absent: it is taken at its word. */
  readonly access?: AccessEvidence;
}

/** What a failure of one try means for the call, by the table of failure classes. */
export function decideRetry(
  error: ModelCallError,
  provider: string,
  tries: Tries,
  context: RetryContext,
): RetryDecision {
  const { now, random, isOutOfPatience } = context;
  const rule = FAILURE_RULES[error.failure];
  const stop = (hold: Partial<Pause>): RetryDecision => ({
    kind: 'stop',
    reason: { kind: 'provider', provider, hold: { cause: 'provider', reason: error.message, since: now, ...hold } },
  });
  if (error.failure === 'aborted') return { kind: 'stop', reason: { kind: 'shutdown' } };
  const isRefusedFromTheStart = error.failure === 'bad_request' && context.access?.everWorked === false;
  if (needsOperator(error) || isRefusedFromTheStart)
    return decideRefusal(error, tries, context) ?? stop(refusedFor(error));
  if (rule.retry === 'never') return { kind: 'fail' };
  if (rule.retry === 'after_wait') {
    const stated = (error.retryAfterMs ?? 0) > 0 ? error.retryAfterMs : undefined;
    const least = error.retryAfterMs === undefined ? 0 : MIN_STATED_WAIT_MS;
    const delayMs = stated ?? Math.max(least, backoffMs(tries.waits + 1, random));
    if (delayMs > LONGEST_WAIT_MS) {
      const retryAt = now + delayMs;
      const until = `Work resumes by itself at ${new Date(retryAt).toISOString()}, because the provider asked to wait so long.`;
      return stop({ retry: true, retryAt, reason: `${error.message} ${until}` });
    }
    if (tries.waits >= MAX_WAITS) return stop({ retry: true });
    return { kind: 'retry', delayMs: delayMs * (1 + random() * 0.25), counts: 'wait' };
  }
  if (isOutOfPatience) return stop({ retry: true });
  if (tries.attempt >= tries.maxAttempts && !isProvidersState(error, context)) return { kind: 'fail' };
  return {
    kind: 'retry',
    delayMs: Math.max(error.retryAfterMs ?? 0, backoffMs(tries.attempt, random)),
    counts: 'attempt',
  };
}

/**
 * Out of reach or unavailable is the provider's state, not this call's: patience decides, not a count of tries, unless
 * other calls succeed meanwhile.
 */
function isProvidersState(error: ModelCallError, { othersSucceed }: RetryContext): boolean {
  if (error.failure === 'unreachable') return true;
  return error.failure === 'server_error' && UNAVAILABLE_STATUS.has(error.status ?? 0) && othersSucceed !== true;
}

/** An account is the provider's for everyone; a key is the worker's, a model's id and its parameters are the batch's. */
function refusedFor(error: ModelCallError): Partial<Pause> {
  if (error.failure === 'authentication') return { retry: false, ofWorker: true };
  if (FAILURE_RULES[error.failure].pausesProvider) return { retry: false };
  const reason = `${error.message} The batch keeps the ids that it was submitted with: resume it once the provider takes them, or submit it again under another --id.`;
  return { retry: false, ofBatch: true, reason };
}

/** One refusal of key, model or URL does not decide for all. Undefined: it does now. */
function decideRefusal(
  error: ModelCallError,
  tries: Tries,
  { random, access }: RetryContext,
): RetryDecision | undefined {
  if (error.failure === 'out_of_credit' || access === undefined) return undefined;
  const { everWorked, refusedInARow } = access;
  if (refusedInARow >= (everWorked ? REFUSED_IN_A_ROW.everWorked : REFUSED_IN_A_ROW.neverWorked)) return undefined;
  if (tries.attempt < MAX_REFUSALS) {
    return { kind: 'retry', delayMs: REFUSAL_RETRY_MS * tries.attempt * (1 + random() * 0.25), counts: 'attempt' };
  }
  if (!everWorked) return undefined;
  // Calls with this key and model succeed, so something on the way refuses this text.
  const isFirewall = error.failure === 'authentication' || FIREWALL_STATUS.has(error.status ?? 0) || isRedirect(error);
  return isFirewall ? { kind: 'fail', code: 'refused_content' } : { kind: 'fail' };
}

function isRedirect({ status = 0 }: ModelCallError): boolean {
  return status >= 300 && status < 400;
}

/** A wrong key, an empty account, a wrong model name or URL fails every document alike; documents are not to blame. */
export function needsOperator(error: ModelCallError): boolean {
  return (
    FAILURE_RULES[error.failure].pausesProvider ||
    error.refusesModel ||
    CONFIG_STATUS.has(error.status ?? 0) ||
    isRedirect(error)
  );
}
