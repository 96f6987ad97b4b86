import { createHash } from 'node:crypto';
import type { CandidateSpec, WorkflowSpec } from '../workflows/workflow.ts';

/** Whether a document is of the audited share. */
export function isAudited({ name, audit = 0 }: Pick<WorkflowSpec, 'name' | 'audit'>, id: string): boolean {
  return isOfShare('audit', name, id, audit);
}

/** Whether a document is of the share that a candidate is tried on. */
export function isTried({ name }: Pick<WorkflowSpec, 'name'>, { share }: CandidateSpec, id: string): boolean {
  return isOfShare('candidate', name, id, share);
}

/** The same for the same id, on every machine and in a retry; one purpose's share says nothing of another's. */
function isOfShare(purpose: string, workflow: string, id: string, share: number): boolean {
  if (share === 0) return false;
  const digest = createHash('sha256')
    .update(JSON.stringify([purpose, workflow, id]))
    .digest();
  return digest.readUInt32BE() < share * 2 ** 32;
}
