import { DAY_MS } from '../runtime/durations.ts';

/**
 * How batches of one workflow share its workers: by tokens, not by arrival.
 *
 * Time is counted in tokens (virtual time). Each flow's slices stand one after another on it, `tokens / weight` long, and
 * slices are worked on in the order of their ends. A flow that comes later starts at the present, so it does not wait for
 * all that came before it, and a flow that has had its part waits for the others.
 */

/** What decides about a batch's part. */
export interface ShareClaim {
  readonly batchId: string;
  readonly tenant?: string;
  /** 0 is the most urgent. */
  readonly priority: number;
  /** Milliseconds since the epoch. */
  readonly deadline?: number;
  readonly documents: number;
  readonly inputTokens: number;
  readonly slices: number;
}

/** A batch's part of its workflow. */
export interface FairShare {
  /** Those who share one part; inside it the earlier batch comes first. Letters, digits, dots, dashes, _ and colons. */
  readonly flow: string;
  /** Length of one slice in virtual time: a whole number of tokens, at least 1. */
  readonly span: number;
  /** How far before the present a flow may begin that has not been served lately, in the same unit. */
  readonly headStart: number;
}

/** Prompt and reply around each document, so that many short ones are not taken for little work. */
const TOKENS_AROUND_DOCUMENT = 150;

/** About what a slice has at most with the limits that are set by default. */
export const FULL_SLICE_TOKENS = 100_000;

/** Two full slices: a small batch is done before a large one continues, and no flow gains more than this by resting. */
export const HEAD_START_TOKENS = 2 * FULL_SLICE_TOKENS;

/** From here on priorities are all the same: a thousandth of a part is as good as "when nobody else has work". */
const LOWEST_PRIORITY = 10;

const MAX_DEADLINE_WEIGHT = 8;

/**
 * The flow is the tenant, or the batch where none is given. Batches of another priority or with a deadline do not queue
 * behind the tenant's others: each priority is a flow of half the weight of the one before, so a tenant that uses all of
 * them gets less than two parts; a batch with a deadline is a flow of its own.
 */
export function shareOf(claim: ShareClaim, now: number): FairShare {
  const priority = Math.min(claim.priority, LOWEST_PRIORITY);
  const weight = 2 ** -priority * deadlineWeight(claim.deadline, now);
  const isShared = claim.tenant !== undefined && claim.deadline === undefined;
  const tokens = (claim.inputTokens + claim.documents * TOKENS_AROUND_DOCUMENT) / Math.max(1, claim.slices);
  return {
    flow: isShared ? `tenant:${claim.tenant}:${priority}` : `batch:${claim.batchId}`,
    span: Math.max(1, Math.round(tokens / weight)),
    // Whoever said that others go first does not overtake them.
    headStart: priority === 0 ? HEAD_START_TOKENS : 0,
  };
}

/** 1 with a day or more to go, 4 with six hours, at most 8. */
function deadlineWeight(deadline: number | undefined, now: number): number {
  if (deadline === undefined) return 1;
  const leftMs = Math.max(1, deadline - now);
  return Math.min(MAX_DEADLINE_WEIGHT, Math.max(1, DAY_MS / leftMs));
}

/** Virtual time up to which tokens are told apart one by 32; beyond, one by 65,536th of the time passed. */
export const TIME_UNIT = 32;
/** Times of one exponent; see {@link priorityAt}. */
export const MANTISSA = 65_536;
/** BullMQ's; 0 would go before all others. */
const MAX_JOB_PRIORITY = 2 ** 21 - 1;

/**
 * Virtual time as a job priority, 1 to 2,097,151, lower first. Written like a floating-point number (5 bits of exponent,
 * 16 of mantissa), so that it never runs over: later times are only told apart less finely, by less than 1/65,536.
 */
export function priorityAt(time: number): number {
  const scaled = time / TIME_UNIT + MANTISSA;
  // Not Math.log2(), which rounds up just below a power of two.
  let exponent = 0;
  let step = 1;
  while (scaled >= step * 2 * MANTISSA) {
    step *= 2;
    exponent += 1;
  }
  const priority = 1 + exponent * MANTISSA + Math.floor(scaled / step) - MANTISSA;
  return Math.min(priority, MAX_JOB_PRIORITY);
}
