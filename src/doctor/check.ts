/** One thing that was looked at. */
export interface Check {
  readonly name: string;
  readonly state: 'ok' | 'warning' | 'failed';
  /** What was found, and for anything but `ok` what to do. */
  readonly detail: string;
}
