import type { Refusal } from '../ledger/ledger.ts';
import type { Pause } from '../ledger/pause.ts';
import type { NanoUsd } from '../money/money.ts';

/** Why a slice's work stops before its documents are answered. None of these is a document's fault. */
export type StopReason =
  /** Someone else owns the slice now, or it has ended: nothing may be written any more. */
  | { readonly kind: 'fenced' }
  /** The process is shutting down: the slice goes back to the queue. */
  | { readonly kind: 'shutdown' }
  /** This worker cannot use its store: the slice goes back to the queue, for others. */
  | { readonly kind: 'store' }
  /** A slice with an earlier turn waits and this one has begun nothing: it goes back to the queue. */
  | { readonly kind: 'overtaken' }
  /** The workflow or batch is paused: the slice waits. */
  | { readonly kind: 'paused' }
  /** A limit is reached and nothing in flight can free money below it. */
  | { readonly kind: 'budget'; readonly refusal: Refusal; readonly hold: NanoUsd }
  /** The provider needs a person, or stays out of reach. */
  | { readonly kind: 'provider'; readonly provider: string; readonly hold: Pause };

export class StopError extends Error {
  readonly reason: StopReason;

  constructor(reason: StopReason) {
    super(`Stopped: ${reason.kind}`);
    this.name = 'StopError';
    this.reason = reason;
  }
}

/** The batch was cancelled or has expired: this document gets no new calls. */
export class DocumentEndedError extends Error {
  readonly status: 'cancelled' | 'expired';

  constructor(status: 'cancelled' | 'expired') {
    super(`The batch was ${status} before this document was answered`);
    this.name = 'DocumentEndedError';
    this.status = status;
  }
}

/** No provider of a tier is well, and the built-in model stands in for it: nothing is waited for. */
export class ProvidersDownError extends Error {
  /** Index in the workflow's cascade. */
  readonly tier: number;

  constructor(tier: number) {
    super(`No provider of tier ${tier} is well`);
    this.name = 'ProvidersDownError';
    this.tier = tier;
  }
}

/** One model call cannot succeed: the cascade moves on to its next tier, or the document fails. */
export class CallFailedError extends Error {
  /** Stable code of the error row. */
  readonly code: string;

  constructor(code: string, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = 'CallFailedError';
    this.code = code;
  }
}
