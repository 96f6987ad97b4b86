import type { Alert } from './alerts.ts';
import type { Notice } from './notice.ts';

/** Tells people about money, and of what happens to work. */
export interface AlertSink {
  /**
   * Takes a message and returns at once; delivery runs beside the work and never fails it.
   *
   * @param at milliseconds since the epoch
   */
  send(message: Alert | Notice, at: number): void;
  /** Waits for deliveries under way, with a bound, and gives up the rest. */
  close(): Promise<void>;
}
