import type { NanoUsd } from '../money/money.ts';
import type { Usage } from '../money/usage.ts';
import type { EventName } from '../runtime/events.ts';

/** A model call that has ended at its provider. No text is in it. */
export interface EndedCall {
  readonly batch: string;
  readonly slice: number;
  /** Position of the document in its slice. */
  readonly document: number;
  readonly workflow: string;
  readonly tenant?: string | undefined;
  /** Its name in the config. */
  readonly model: string;
  /** The provider's name of it. */
  readonly modelId: string;
  readonly provider: string;
  readonly tier: number;
  /** `failed`: billed and of no use; `refused`: not billed; `uncertain`: nobody can know. */
  readonly outcome: 'reply' | 'failed' | 'refused' | 'uncertain';
  /** The class of the failure, e.g. `rate_limited`. */
  readonly failure?: string;
  readonly durationMs: number;
  /** Of a reply, until the first byte of its headers. Undefined: not known. */
  readonly firstByteMs?: number | undefined;
  readonly usage: Usage;
  /** What is booked for it; of an uncertain call its hold. */
  readonly cost: NanoUsd;
  readonly maxOutputTokens: number;
  readonly temperature?: number | undefined;
  /** What the provider says of its reply. */
  readonly reply?: {
    readonly id?: string | undefined;
    readonly model?: string | undefined;
    readonly finish: string;
  };
}

/** A slice that has left this process's hands. */
export interface EndedSlice {
  readonly batch: string;
  readonly slice: number;
  readonly workflow: string;
  readonly tenant?: string | undefined;
  /** `committed`, or why it was handed back. */
  readonly outcome: string;
  /** Documents by how they ended; absent: it was handed back. */
  readonly documents?: Readonly<Record<string, number>>;
  /** How long it was in progress. */
  readonly durationMs: number;
}

export interface SubmittedBatch {
  readonly batch: string;
  readonly workflow: string;
  readonly tenant?: string | undefined;
  /** Its own span, as W3C Trace Context has it. */
  readonly traceparent: string | undefined;
  /** Of the trace that it was submitted in. */
  readonly parentSpanId?: string;
  readonly documents: number;
  readonly durationMs: number;
}

export interface TakenSlice {
  readonly batch: string;
  readonly slice: number;
  /** Of the batch; absent in batches of earlier versions. */
  readonly traceparent: string | undefined;
  /** It is no slice, but a run that asks in a batch's name, such as its digest; its end is not told. */
  readonly isRun?: true;
}

export interface EndedBatch {
  readonly batch: string;
  readonly workflow: string;
  readonly tenant?: string | undefined;
  readonly traceparent: string | undefined;
  readonly state: string;
  readonly documents: number;
  /** What its last step took. */
  readonly durationMs: number;
}

/** Told of what happens in this process. It answers at once and never throws. */
export interface Meter {
  callEnded(call: EndedCall): void;
  /** A call was let in by a pool after a wait, with so many tokens. */
  callAdmitted(pool: string, waitMs: number, tokens: number): void;
  sliceEnded(slice: EndedSlice): void;
  logged(event: EventName): void;
  /** What only traces tell of. */
  batchSubmitted?(batch: SubmittedBatch): void;
  sliceTaken?(slice: TakenSlice): void;
  batchEnded?(batch: EndedBatch): void;
}

/** Tells each of them. */
export function tellAll(meters: readonly Meter[]): Meter {
  const tell = (say: (meter: Meter) => void) => {
    for (const meter of meters) say(meter);
  };
  return {
    callEnded: (call) => tell((meter) => meter.callEnded(call)),
    callAdmitted: (pool, waitMs, tokens) => tell((meter) => meter.callAdmitted(pool, waitMs, tokens)),
    sliceEnded: (slice) => tell((meter) => meter.sliceEnded(slice)),
    logged: (event) => tell((meter) => meter.logged(event)),
    batchSubmitted: (batch) => tell((meter) => meter.batchSubmitted?.(batch)),
    sliceTaken: (slice) => tell((meter) => meter.sliceTaken?.(slice)),
    batchEnded: (batch) => tell((meter) => meter.batchEnded?.(batch)),
  };
}
