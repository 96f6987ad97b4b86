import type { LimitDimension } from './model-limiter.ts';
import type { FaultName } from './options.ts';

/** What one model did in one second. */
export interface TrafficSecond {
  /** Seconds since the epoch. */
  readonly second: number;
  readonly admitted: number;
  /** Requests refused by a limit. */
  readonly refused: number;
  /** Of calls admitted in this second. */
  readonly inputTokens: number;
  /** Of replies made in this second. */
  readonly outputTokens: number;
}

export type TrafficEvent = Partial<Omit<TrafficSecond, 'second'>>;

/** Older seconds are forgotten. */
const KEPT_SECONDS = 3600;

/** Counts for tests: how much of its quota a model was used, and why requests were refused. */
export class Traffic {
  readonly #perSecond = new Map<string, Map<number, TrafficSecond>>();
  readonly #refusals: Record<LimitDimension, number> = {
    requests: 0,
    tokens: 0,
    inputTokens: 0,
    outputTokens: 0,
    concurrency: 0,
  };
  readonly #faults: Partial<Record<FaultName, number>> = {};
  readonly #replies: Record<string, number> = {};
  #requests = 0;

  countRequest(): void {
    this.#requests += 1;
  }

  /** @param ending an HTTP status, `reset` or `hang` */
  countReply(ending: string): void {
    this.#replies[ending] = (this.#replies[ending] ?? 0) + 1;
  }

  countFault(fault: FaultName): void {
    this.#faults[fault] = (this.#faults[fault] ?? 0) + 1;
  }

  countRefusal(model: string, dimension: LimitDimension, nowMs: number): void {
    this.#refusals[dimension] += 1;
    this.record(model, { refused: 1 }, nowMs);
  }

  /** @param nowMs milliseconds since the epoch */
  record(model: string, event: TrafficEvent, nowMs: number): void {
    const seconds = this.#perSecond.get(model) ?? new Map<number, TrafficSecond>();
    this.#perSecond.set(model, seconds);
    const second = Math.floor(nowMs / 1000);
    const sum = seconds.get(second) ?? { second, admitted: 0, refused: 0, inputTokens: 0, outputTokens: 0 };
    seconds.set(second, {
      second,
      admitted: sum.admitted + (event.admitted ?? 0),
      refused: sum.refused + (event.refused ?? 0),
      inputTokens: sum.inputTokens + (event.inputTokens ?? 0),
      outputTokens: sum.outputTokens + (event.outputTokens ?? 0),
    });
    const oldest = seconds.keys().next().value;
    if (seconds.size > KEPT_SECONDS && oldest !== undefined) seconds.delete(oldest);
  }

  totals(): {
    readonly requests: number;
    readonly replies: Readonly<Record<string, number>>;
    readonly refusals: Readonly<Record<LimitDimension, number>>;
    readonly faults: Readonly<Partial<Record<FaultName, number>>>;
  } {
    return {
      requests: this.#requests,
      replies: { ...this.#replies },
      refusals: { ...this.#refusals },
      faults: { ...this.#faults },
    };
  }

  /** By model; seconds without traffic are left out. */
  series(): Readonly<Record<string, readonly TrafficSecond[]>> {
    return Object.fromEntries([...this.#perSecond].map(([model, seconds]) => [model, [...seconds.values()]]));
  }
}
