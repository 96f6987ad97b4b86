import { NANO_PER_USD } from '../money/money.ts';
import { parseTraceparent, type TraceContext, traceOfBatch } from '../runtime/trace-context.ts';
import type { EndedBatch, EndedCall, EndedSlice, Meter, SubmittedBatch, TakenSlice } from './meter.ts';
import { TRACE_NAMES as NAME } from './trace-names.ts';

export type SpanValue = string | number | readonly string[] | undefined;

/** A span that has ended. No text is in it. */
export interface Span extends TraceContext {
  readonly parentSpanId?: string;
  readonly name: string;
  /** `client`: asks a provider; `producer`: puts work into the queue; `consumer`: takes it. */
  readonly kind: 'client' | 'producer' | 'consumer';
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly attributes: Readonly<Record<string, SpanValue>>;
  /** The class of what went wrong; absent: nothing. */
  readonly error?: string;
}

export interface TraceMeterOptions {
  readonly emit: (span: Span) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** 16 hexadecimal digits, not all zero. */
  readonly newSpanId: () => string;
  /** Where a provider of the config is reached, as attributes. */
  readonly serverOf: (provider: string) => Readonly<Record<string, SpanValue>>;
}

/** Slices and runs that calls may belong to; a process has far fewer in progress. */
const MAX_OPEN = 10_000;

/** Makes spans of what happens: submission, slices, calls and the end of a batch are one trace, whichever process does them. */
export class TraceMeter implements Meter {
  readonly #options: TraceMeterOptions;
  /** By batch and slice: the span that their calls are children of. */
  readonly #open = new Map<string, TraceContext & { readonly parentSpanId: string }>();

  constructor(options: TraceMeterOptions) {
    this.#options = options;
  }

  batchSubmitted({ batch, workflow, tenant, traceparent, parentSpanId, durationMs, ...counts }: SubmittedBatch): void {
    this.#emit(contextOf(batch, traceparent), durationMs, {
      ...(parentSpanId === undefined ? {} : { parentSpanId }),
      name: `submit ${workflow}`,
      kind: 'producer',
      attributes: {
        [NAME.batch]: batch,
        [NAME.workflow]: workflow,
        [NAME.tenant]: tenant,
        [NAME.documents]: counts.documents,
      },
    });
  }

  sliceTaken({ batch, slice, traceparent, isRun }: TakenSlice): void {
    const parent = contextOf(batch, traceparent);
    const spanId = isRun === true ? parent.spanId : this.#options.newSpanId();
    if (this.#open.size >= MAX_OPEN) this.#open.delete(this.#open.keys().next().value ?? '');
    this.#open.set(keyOf(batch, slice), { traceId: parent.traceId, spanId, parentSpanId: parent.spanId });
  }

  sliceEnded({ batch, slice, workflow, tenant, outcome, durationMs, documents }: EndedSlice): void {
    const key = keyOf(batch, slice);
    const open = this.#open.get(key);
    this.#open.delete(key);
    if (open === undefined) return;
    const count = documents === undefined ? undefined : Object.values(documents).reduce((sum, each) => sum + each, 0);
    this.#emit(open, durationMs, {
      parentSpanId: open.parentSpanId,
      name: `slice ${workflow}`,
      kind: 'consumer',
      attributes: {
        [NAME.batch]: batch,
        [NAME.workflow]: workflow,
        [NAME.tenant]: tenant,
        [NAME.slice]: slice,
        [NAME.outcome]: outcome,
        [NAME.documents]: count,
      },
    });
  }

  callEnded(call: EndedCall): void {
    const { batch, slice, usage, reply, durationMs } = call;
    const open = this.#open.get(keyOf(batch, slice)) ?? traceOfBatch(batch, 0);
    const error = call.outcome === 'reply' ? undefined : (call.failure ?? call.outcome);
    const isBooked = call.outcome !== 'refused';
    this.#emit({ traceId: open.traceId, spanId: this.#options.newSpanId() }, durationMs, {
      parentSpanId: open.spanId,
      name: `chat ${call.modelId}`,
      kind: 'client',
      ...(error === undefined ? {} : { error }),
      attributes: {
        [NAME.operation]: 'chat',
        [NAME.requestModel]: call.modelId,
        [NAME.maxTokens]: call.maxOutputTokens,
        [NAME.temperature]: call.temperature,
        [NAME.responseId]: reply?.id,
        [NAME.responseModel]: reply?.model,
        [NAME.finishReasons]: reply === undefined ? undefined : [reply.finish],
        ...(call.outcome === 'uncertain' || call.outcome === 'refused' ? {} : tokensOf(usage)),
        ...(isBooked
          ? { [NAME.cost]: call.cost / NANO_PER_USD, [NAME.currency]: 'USD', [NAME.costSource]: 'local' }
          : {}),
        [NAME.error]: error,
        [NAME.batch]: batch,
        [NAME.workflow]: call.workflow,
        [NAME.tenant]: call.tenant,
        [NAME.slice]: slice,
        [NAME.document]: call.document,
        [NAME.tier]: call.tier,
        [NAME.model]: call.model,
        ...this.#options.serverOf(call.provider),
      },
    });
  }

  batchEnded({ batch, workflow, tenant, traceparent, state, documents, durationMs }: EndedBatch): void {
    const parent = contextOf(batch, traceparent);
    this.#emit({ traceId: parent.traceId, spanId: this.#options.newSpanId() }, durationMs, {
      parentSpanId: parent.spanId,
      name: `finish ${workflow}`,
      kind: 'consumer',
      attributes: {
        [NAME.batch]: batch,
        [NAME.workflow]: workflow,
        [NAME.tenant]: tenant,
        [NAME.state]: state,
        [NAME.documents]: documents,
      },
    });
  }

  callAdmitted(): void {}

  logged(): void {}

  #emit(
    { traceId, spanId }: TraceContext,
    durationMs: number,
    span: Omit<Span, keyof TraceContext | 'startedAt' | 'endedAt'>,
  ): void {
    const endedAt = this.#options.now();
    this.#options.emit({ traceId, spanId, ...span, startedAt: endedAt - Math.max(0, durationMs), endedAt });
  }
}

function tokensOf(usage: EndedCall['usage']): Readonly<Record<string, SpanValue>> {
  return {
    [NAME.inputTokens]: usage.inputTokens,
    [NAME.outputTokens]: usage.outputTokens,
    [NAME.cachedTokens]: usage.cachedInputTokens,
    [NAME.reasoningTokens]: usage.reasoningTokens,
  };
}

/** Batches of earlier versions bring no trace. */
function contextOf(batch: string, traceparent: string | undefined): TraceContext {
  return parseTraceparent(traceparent) ?? traceOfBatch(batch, 0);
}

function keyOf(batch: string, slice: number): string {
  return `${batch}\0${slice}`;
}
