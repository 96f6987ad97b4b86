/** What a worker says of itself with each sign of life. */
export interface WorkerRecord {
  readonly host: string;
  readonly pid: number;
  /** Of the program. */
  readonly version: string;
  /** Equal where two workers would do and spend the same. */
  readonly configHash: string;
  /** The workflows whose slices it takes. */
  readonly workflows: readonly string[];
  /** Milliseconds since the epoch, of its own clock. */
  readonly startedAt: number;
  /** Why it takes no slices at present, e.g. that its store refuses it; absent: it does. */
  readonly trouble?: string;
  /** What it has in progress. */
  readonly slices: readonly { readonly batch: string; readonly workflow: string; readonly slice: number }[];
}

export interface LiveWorker extends WorkerRecord {
  readonly id: string;
  /** Milliseconds since its last sign of life, by the clock of the server. */
  readonly heartbeatAgeMs: number;
}

/** Who is working, in the whole cluster. */
export interface WorkerRegistry {
  /** Workers whose lease is valid, by id. */
  live(): Promise<readonly LiveWorker[]>;
}

/** Those that take slices of the workflow. */
export function workersOf(workers: readonly LiveWorker[], workflow: string): readonly LiveWorker[] {
  return workers.filter(({ workflows }) => workflows.includes(workflow));
}
