import type { Timezones } from '../ledger/scope.ts';
import type { WorkflowSpec } from '../workflows/workflow.ts';

/** `config`: stated there; `family`: the listed price of its family. */
export interface PriceOrigin {
  readonly source: 'config' | 'catalogue' | 'family';
  /** The day of a listed price, `YYYY-MM-DD`. */
  readonly asOf?: string;
}

/** What is stored with a batch when it is submitted; nothing in it changes afterwards. */
export interface BatchSubmission {
  readonly schemaVersion: 1;
  readonly batchId: string;
  readonly createdAt: string;
  readonly workflow: WorkflowSpec;
  readonly timezones: Timezones;
  readonly tenant?: string;
  /** Which plan of the workflow the tenant has. Absent: the workflow's own cascade and limits. */
  readonly plan?: string;
  readonly contentHash: string;
  /** sha256 of the workflow as it stands here, models and prices included. */
  readonly configHash: string;
  /** Version and sha256 of the prompt that the task uses. */
  readonly prompt: { readonly version: string; readonly sha256: string };
  /** Version of the program that took it. */
  readonly program?: string;
  /** Who submitted it: a key's name or a person on a machine, as the audit log has it. */
  readonly submittedBy?: string;
  /** Where the prices of its models come from, by name. */
  readonly prices?: Readonly<Record<string, PriceOrigin>>;
  /** The span of its submission, as W3C Trace Context has it: everything that is done for it belongs to that trace. */
  readonly traceparent?: string;
  /** Inputs as the user named them. */
  readonly inputs: readonly string[];
}
