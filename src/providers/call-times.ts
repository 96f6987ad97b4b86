/** Weight of the latest call in the mean. */
const LATEST_SHARE = 0.2;
/** A measure as old as this says nothing of now. */
const FORGOTTEN_AFTER_MS = 60_000;

/** How long the calls of each model of a provider have taken lately: a mean in which the latest count most. */
export class CallTimes {
  readonly #means = new Map<string, { ms: number; at: number }>();

  /** @param now milliseconds of the monotonic clock */
  note(modelId: string, durationMs: number, now: number): void {
    const before = this.of(modelId, now);
    const ms = before === undefined ? durationMs : before + (durationMs - before) * LATEST_SHARE;
    this.#means.set(modelId, { ms, at: now });
  }

  /** Undefined: never measured, or too long ago. */
  of(modelId: string, now: number): number | undefined {
    const mean = this.#means.get(modelId);
    return mean === undefined || now - mean.at > FORGOTTEN_AFTER_MS ? undefined : mean.ms;
  }
}
