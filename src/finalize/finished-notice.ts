import type { BatchRecord } from '../batches/batch-registry.ts';
import type { Notice } from '../budgets/notice.ts';
import { formatUsd, nanoToDecimal } from '../money/money.ts';
import type { Manifest } from './manifest.ts';

/** What people are told when a batch has ended. */
export function finishedNotice(
  { batchId, workflow, name }: BatchRecord,
  manifest: Manifest,
  digest?: Notice['digest'],
): Notice {
  const { documents, state } = manifest;
  const cost = manifest.cost + manifest.uncertainCost;
  const failed = documents.total - documents.succeeded;
  const outcome =
    failed === 0
      ? `all ${documents.total.toLocaleString('en')} documents have their answer`
      : `${failed.toLocaleString('en')} of ${documents.total.toLocaleString('en')} documents have no answer: nightmill retry ${batchId}`;
  return {
    event: failed === 0 ? 'batch:finished' : 'batch:finished_with_failures',
    subject: batchId,
    message: `Batch ${batchId}${name === undefined ? '' : ` "${name}"`} (${workflow}) is ${state}: ${outcome}; ${formatUsd(cost)} in all.`,
    details: { workflow, state, ...documents, costUsd: Number(nanoToDecimal(cost)) },
    ...(digest === undefined ? {} : { digest }),
    key: batchId,
  };
}
