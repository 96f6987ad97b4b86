import type { LatencyFigures } from './latency.ts';

/** How fast a model's calls were, and over how many of them that is known. */
export function latencyText(name: string, { calls, p50Ms, p95Ms, tokensPerSecond, firstByte }: LatencyFigures): string {
  return (
    `${name}: p50 ${seconds(p50Ms)}, p95 ${seconds(p95Ms)}, first byte ${firstByteText(calls, firstByte)}, ` +
    `${tokensPerSecond} tokens/s over ${countOf(calls)}`
  );
}

/** @param provider undefined: the local model, or not known */
export function nameAt(model: string, provider: string | undefined): string {
  return provider === undefined ? model : `${model} at ${provider}`;
}

function firstByteText(calls: number, firstByte: LatencyFigures['firstByte']): string {
  if (firstByte === undefined) return 'NOT KNOWN';
  const of = firstByte.calls === calls ? '' : ` (of ${countOf(firstByte.calls)})`;
  return `p50 ${seconds(firstByte.p50Ms)}, p95 ${seconds(firstByte.p95Ms)}${of}`;
}

function countOf(calls: number): string {
  return `${calls.toLocaleString('en')} ${calls === 1 ? 'call' : 'calls'}`;
}

function seconds(milliseconds: number): string {
  return milliseconds < 1_000 ? `${milliseconds} ms` : `${(milliseconds / 1_000).toFixed(1)} s`;
}
