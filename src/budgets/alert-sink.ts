import type { Alert } from './alerts.ts';

/** Tells people about money. */
export interface AlertSink {
  /**
   * Takes an alert and returns at once; delivery goes on beside the work and never fails it.
   *
   * @param at milliseconds since the epoch
   */
  send(alert: Alert, at: number): void;
  /** Waits for deliveries under way, with a bound, and gives up the rest. */
  close(): Promise<void>;
}
