/** Time as the program sees it, passed in so that tests can decide it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds that only grow, for durations. */
  monotonic(): number;
  /** Resolves after `milliseconds`, or at once when the signal aborts; the caller looks at the signal. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}
