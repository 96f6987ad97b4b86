import type { BatchStatus } from '../batches/batch-status.ts';
import { formatUsd } from '../money/money.ts';
import { table } from './table.ts';

/** One line a batch. */
export function listText(statuses: readonly BatchStatus[]): string {
  if (statuses.length === 0) return 'No batches. nightmill submit INPUT -w WORKFLOW makes one.\n';
  const rows = statuses.map(({ batchId, state, workflow, documents, spent, limit, createdAt, tenant, name }) => [
    batchId,
    state,
    workflow,
    `${documents.done.toLocaleString('en')}/${documents.total.toLocaleString('en')}`,
    documents.failed.toLocaleString('en'),
    `${formatUsd(spent)}${limit === undefined ? '' : `/${formatUsd(limit)}`}`,
    `${new Date(createdAt).toISOString().slice(0, 16)}Z`,
    tenant ?? '-',
    name ?? '',
  ]);
  const head = ['BATCH', 'STATE', 'WORKFLOW', 'DONE', 'FAILED', 'SPENT', 'SUBMITTED', 'TENANT', 'NAME'];
  return `${table([head, ...rows]).join('\n')}\n`;
}
