import { createHash } from 'node:crypto';
import type { WorkflowSpec } from '../workflows/workflow.ts';

/** Whether a document is of the audited share: the same for the same id, on every machine and in a retry. */
export function isAudited({ name, audit = 0 }: Pick<WorkflowSpec, 'name' | 'audit'>, id: string): boolean {
  if (audit === 0) return false;
  const digest = createHash('sha256')
    .update(JSON.stringify(['audit', name, id]))
    .digest();
  return digest.readUInt32BE() < audit * 2 ** 32;
}
