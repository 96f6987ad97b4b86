import type { Timezones } from '../ledger/scope.ts';
import type { WorkflowSpec } from '../workflows/workflow.ts';

/** What is stored with a batch when it is submitted; nothing in it changes afterwards. */
export interface BatchSubmission {
  readonly schemaVersion: 1;
  readonly batchId: string;
  readonly createdAt: string;
  readonly workflow: WorkflowSpec;
  readonly timezones: Timezones;
  readonly tenant?: string;
  readonly contentHash: string;
  /** sha256 of the workflow as it stands here, models and prices included. */
  readonly configHash: string;
  /** Version and sha256 of the prompt that the task uses. */
  readonly prompt: { readonly version: string; readonly sha256: string };
  /** Inputs as the user named them. */
  readonly inputs: readonly string[];
}
