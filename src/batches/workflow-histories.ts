import type { BatchSample, WorkflowHistory } from './workflow-history.ts';

/** What finished batches of each workflow took. */
export interface WorkflowHistories {
  get(workflow: string): Promise<WorkflowHistory | undefined>;
  /** Adds a batch that has ended, once, however often it is called for the same batch. */
  add(workflow: string, sample: BatchSample): Promise<void>;
}
