import { createHash } from 'node:crypto';

const BATCH_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/;

/** Ids stand in Redis keys, job ids, object keys and file paths, so they are plain. */
export function isBatchId(id: string): boolean {
  return BATCH_ID.test(id) && !id.includes('..');
}

/**
 * The id of a batch that was given none: the same documents for the same workflow, as it is configured now, are the
 * same batch, so submitting them again joins it instead of paying twice. Those of two tenants are two batches: each
 * pays for its own.
 */
export function contentBatchId(workflow: string, configHash: string, contentHash: string, tenant?: string): string {
  const hash = createHash('sha256').update(configHash).update('\0').update(contentHash);
  if (tenant !== undefined) hash.update('\0').update(tenant);
  const digest = hash.digest('hex');
  return `${workflow}-${digest.slice(0, 12)}`;
}
