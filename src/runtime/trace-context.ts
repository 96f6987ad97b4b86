import { hash } from 'node:crypto';

/** Where spans belong, as W3C Trace Context has it: lower-case hexadecimal. */
export interface TraceContext {
  /** 32 digits. */
  readonly traceId: string;
  /** 16 digits: the span that new ones are children of. */
  readonly spanId: string;
}

const TRACEPARENT = /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}$/;

/** Undefined where it is no `traceparent`. */
export function parseTraceparent(text: string | undefined): TraceContext | undefined {
  const [, traceId, spanId] = TRACEPARENT.exec(text ?? '') ?? [];
  return traceId === undefined || spanId === undefined ? undefined : { traceId, spanId };
}

export function isTraceparent(text: string | undefined): boolean {
  return parseTraceparent(text) !== undefined;
}

export function formatTraceparent({ traceId, spanId }: TraceContext): string {
  return `00-${traceId}-${spanId}-01`;
}

/**
 * The span of a batch's submission: made from its id, so that every process and every repeat names the same one.
 *
 * @param createdAt milliseconds since the epoch
 * @param parent the trace that it was submitted in; absent: a trace of its own
 */
export function traceOfBatch(batchId: string, createdAt: number, parent?: TraceContext): TraceContext {
  const digits = hash('sha256', `${batchId}\0${createdAt}`, 'hex');
  return { traceId: parent?.traceId ?? digits.slice(0, 32), spanId: digits.slice(32, 48) };
}
