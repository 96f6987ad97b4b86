import { QuantileSketch } from './quantile-sketch.ts';

/** How long the calls of a model took, as it is stored; parts add up. */
export interface Latency {
  readonly calls: number;
  /** Sum over the calls, milliseconds. */
  readonly ms: number;
  readonly outputTokens: number;
  /** A `QuantileSketch` of their milliseconds. */
  readonly sketch: string;
}

export interface LatencyFigures {
  readonly calls: number;
  /** Within 2 %. */
  readonly p50Ms: number;
  /** Within 2 %. */
  readonly p95Ms: number;
  /** Output tokens of a call by the time that it took, over all calls. */
  readonly tokensPerSecond: number;
}

/** Adds up calls. */
export class LatencySum {
  readonly #sketch = new QuantileSketch();
  #ms = 0;
  #outputTokens = 0;

  add(milliseconds: number, outputTokens: number): void {
    this.#sketch.add(milliseconds);
    this.#ms += milliseconds;
    this.#outputTokens += outputTokens;
  }

  addPart({ ms, outputTokens, sketch }: Latency): void {
    this.#sketch.merge(QuantileSketch.decode(sketch));
    this.#ms += ms;
    this.#outputTokens += outputTokens;
  }

  /** Undefined where there was no call. */
  total(): Latency | undefined {
    const { count } = this.#sketch;
    if (count === 0) return undefined;
    return { calls: count, ms: this.#ms, outputTokens: this.#outputTokens, sketch: this.#sketch.encode() };
  }
}

/** Of two parts; undefined where both are. */
export function addLatency(a: Latency | undefined, b: Latency | undefined): Latency | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const sum = new LatencySum();
  sum.addPart(a);
  sum.addPart(b);
  return sum.total();
}

export function latencyFigures({ calls, ms, outputTokens, sketch }: Latency): LatencyFigures {
  const quantiles = QuantileSketch.decode(sketch);
  const quantile = (share: number) => Math.round(quantiles.quantile(share) ?? 0);
  return {
    calls,
    p50Ms: quantile(0.5),
    p95Ms: quantile(0.95),
    tokensPerSecond: ms === 0 ? 0 : Math.round((outputTokens / ms) * 10_000) / 10,
  };
}
