import { createHash } from 'node:crypto';
import type { WorkflowSpec } from '../domain/workflow.ts';

/** sha256 of a workflow with its models and prices: equal hashes do and cost the same. */
export function workflowHash(workflow: WorkflowSpec): string {
  return createHash('sha256').update(JSON.stringify(workflow)).digest('hex');
}
