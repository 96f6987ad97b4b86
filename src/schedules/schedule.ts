export const CATCH_UPS = ['latest', 'all', 'skip'] as const;
export const OVERLAPS = ['queue', 'skip'] as const;
export const AFTERS = ['keep', 'archive'] as const;

/** When a workflow takes the files of an inbox by itself. */
export interface Schedule {
  /** The workflow, whose name is also the schedule's. */
  readonly workflow: string;
  /** Five fields, by the wall clock of {@link timezone}. */
  readonly cron: string;
  readonly timezone: string;
  /** Absolute path of a folder, or `s3://bucket/prefix`. */
  readonly input: string;
  /** Which slots run that nobody looked at in time: the latest one, all, or none. */
  readonly catchUp: (typeof CATCH_UPS)[number];
  /** While the batch of an earlier slot is open: the next one stands in line beside it, or the slot is left out. */
  readonly overlap: (typeof OVERLAPS)[number];
  /** What becomes of a file whose documents are stored. */
  readonly after: (typeof AFTERS)[number];
}
