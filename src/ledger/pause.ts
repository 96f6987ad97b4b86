import type { NanoUsd } from '../money/money.ts';

/** Why work is paused, since when, and what it takes to resume. */
export interface Pause {
  readonly cause: 'operator' | 'budget' | 'provider' | 'store';
  /** One sentence for the operator at midnight. */
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** The scope whose limit was reached, and its period, for cause `budget`. */
  readonly scope?: string;
  readonly period?: string;
  readonly limit?: NanoUsd;
  /** For cause `budget`: what the refused call needs; work resumes by itself when so much is free again. */
  readonly needed?: NanoUsd;
  /** For cause `provider`: it refuses the batch's model, so other batches of the workflow continue. */
  readonly ofBatch?: boolean;
  /** For cause `provider`: it refuses this worker's key, so workers with another one continue. */
  readonly ofWorker?: boolean;
  /** For cause `provider`: it may come back by itself, so it is tried again. */
  readonly retry?: boolean;
  /** When, in milliseconds since the epoch; absent: after half a minute. */
  readonly retryAt?: number;
}

/** Pauses with the same key are one cause: the second says nothing new. */
export function pauseKey({ cause, scope = '' }: Pause): string {
  return cause === 'budget' ? `budget ${scope}` : cause;
}

const CAUSES: readonly Pause['cause'][] = ['budget', 'provider', 'store', 'operator'];

/** Of several pauses the one to name first: what stops the work by itself before what a person has done on purpose. */
export function leadingPause(pauses: readonly Pause[]): Pause | undefined {
  const rank = ({ cause }: Pause) => CAUSES.indexOf(cause);
  return pauses.toSorted((a, b) => rank(a) - rank(b) || a.since - b.since)[0];
}

/**
 * Whether who works on one batch alone stays for the end of a pause: an operator's, and a wait that the provider has named,
 * unless it is a long one.
 */
export function isSatOut({ cause, retryAt }: Pause, now: number, longestWaitMs: number): boolean {
  return cause === 'operator' || (retryAt !== undefined && retryAt - now <= longestWaitMs);
}
