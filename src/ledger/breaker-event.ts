export interface BreakerEvent {
  /** ISO 8601. */
  readonly at: string;
  readonly event: 'opened' | 'closed' | 'paused' | 'resumed';
  readonly scope?: string;
  readonly reason: string;
}
