import { QuantileSketch } from './quantile-sketch.ts';

/** How long the calls of a model took, as it is stored; parts add up. */
export interface Latency {
  readonly calls: number;
  /** Sum over the calls, milliseconds. */
  readonly ms: number;
  readonly outputTokens: number;
  /** A `QuantileSketch` of their milliseconds. */
  readonly sketch: string;
  /** Times until the first byte of the response's headers. Absent: known of none, as in what earlier versions wrote. */
  readonly firstByte?: FirstByte;
}

export interface FirstByte {
  /** At most those of `Latency`. */
  readonly calls: number;
  readonly sketch: string;
}

export interface LatencyFigures {
  readonly calls: number;
  /** Within 2 %. */
  readonly p50Ms: number;
  /** Within 2 %. */
  readonly p95Ms: number;
  /** Times until the first byte, of the calls of which they are known. Absent: of none. */
  readonly firstByte?: Pick<LatencyFigures, 'calls' | 'p50Ms' | 'p95Ms'>;
  /** Output tokens of a call by the time that it took, over all calls. */
  readonly tokensPerSecond: number;
}

/** Adds up calls. */
export class LatencySum {
  readonly #sketch = new QuantileSketch();
  readonly #firstByte = new QuantileSketch();
  #ms = 0;
  #outputTokens = 0;

  static of(part: Latency): LatencySum {
    const sum = new LatencySum();
    sum.addPart(part);
    return sum;
  }

  /** @param firstByteMs undefined: not known of this call */
  add(milliseconds: number, outputTokens: number, firstByteMs?: number): void {
    this.#sketch.add(milliseconds);
    if (firstByteMs !== undefined) this.#firstByte.add(firstByteMs);
    this.#ms += milliseconds;
    this.#outputTokens += outputTokens;
  }

  addPart({ ms, outputTokens, sketch, firstByte }: Latency): void {
    this.#sketch.merge(QuantileSketch.decode(sketch));
    if (firstByte !== undefined) this.#firstByte.merge(QuantileSketch.decode(firstByte.sketch));
    this.#ms += ms;
    this.#outputTokens += outputTokens;
  }

  /** Undefined where there was no call. */
  total(): Latency | undefined {
    const { count } = this.#sketch;
    if (count === 0) return undefined;
    const { count: calls } = this.#firstByte;
    return {
      calls: count,
      ms: this.#ms,
      outputTokens: this.#outputTokens,
      sketch: this.#sketch.encode(),
      ...(calls === 0 ? {} : { firstByte: { calls, sketch: this.#firstByte.encodeSteps() } }),
    };
  }
}

/** Of two parts; undefined where both are. */
export function addLatency(a: Latency | undefined, b: Latency | undefined): Latency | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const sum = LatencySum.of(a);
  sum.addPart(b);
  return sum.total();
}

export function latencyFigures({ calls, ms, outputTokens, sketch, firstByte }: Latency): LatencyFigures {
  return {
    calls,
    ...quantilesOf(sketch),
    tokensPerSecond: ms === 0 ? 0 : Math.round((outputTokens / ms) * 10_000) / 10,
    ...(firstByte === undefined ? {} : { firstByte: { calls: firstByte.calls, ...quantilesOf(firstByte.sketch) } }),
  };
}

function quantilesOf(sketch: string): { readonly p50Ms: number; readonly p95Ms: number } {
  const quantiles = QuantileSketch.decode(sketch);
  const quantile = (share: number) => Math.round(quantiles.quantile(share) ?? 0);
  return { p50Ms: quantile(0.5), p95Ms: quantile(0.95) };
}
