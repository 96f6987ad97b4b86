import type { BatchRecord } from './batch-registry.ts';
import { hasEnded } from './batch-states.ts';
import type { BatchStatus } from './batch-status.ts';

/**
 * A batch's status with its retries in it: their money is the batch's, and while one is open the batch is in its state
 * and the documents that are asked again count as what they are there.
 *
 * @param retries oldest first
 */
export function addRetries(
  status: BatchStatus,
  retries: readonly { readonly batch: BatchRecord; readonly status: BatchStatus }[],
): BatchStatus {
  const sum = (amount: (retry: BatchStatus) => number) =>
    retries.reduce((total, retry) => total + amount(retry.status), 0);
  const { projected: _, ...own } = status;
  const whole: BatchStatus = {
    ...own,
    spent: status.spent + sum(({ spent }) => spent),
    uncertain: status.uncertain + sum(({ uncertain }) => uncertain),
    held: status.held + sum(({ held }) => held),
  };
  const last = retries.at(-1);
  if (last === undefined || hasEnded(last.batch.state)) return { ...whole, projected: whole.spent };
  const { documents, state, breaker, unable, etaSeconds, workersAlive } = last.status;
  const retried = last.batch.retried ?? {};
  const again = (outcome: 'succeeded' | 'failed' | 'cancelled' | 'expired' | 'skipped') =>
    status.documents[outcome] - (retried[outcome] ?? 0) + documents[outcome];
  return {
    ...whole,
    state,
    breaker,
    unable,
    ...(etaSeconds === undefined ? {} : { etaSeconds }),
    ...(workersAlive === undefined ? {} : { workersAlive }),
    documents: {
      total: status.documents.total,
      done: status.documents.total - documents.total + documents.done,
      succeeded: again('succeeded'),
      failed: again('failed'),
      cancelled: again('cancelled'),
      expired: again('expired'),
      skipped: again('skipped'),
    },
  };
}
