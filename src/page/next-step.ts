import type { Batch, PauseCause } from './api-types.ts';

/** What resumes a paused batch, in a sentence. */
export function stepOf(batch: Pick<Batch, 'id' | 'workflow'>, pause: PauseCause): string {
  switch (pause.cause) {
    case 'budget': {
      const scope = pause.scope ?? `batch:${batch.id}`;
      const waits = scope.startsWith('batch:') ? '' : ' It also resumes by itself when the next period begins.';
      return `Raise the limit of ${scope}.${waits}`;
    }
    case 'provider':
      return 'Fix what the provider refuses, then resume. If it comes back by itself, so does the work.';
    case 'store':
      return 'Make the store writable again, then resume.';
    case 'operator':
      return pause.of === 'batch' ? 'Resume the batch.' : `Resume the workflow ${batch.workflow}.`;
  }
}

/** Twice the limit, in a round number; a proposal that a person can change. */
export function proposedLimit(limit: number | null, spent: number): number {
  const wanted = Math.max(limit ?? 0, spent) * 2;
  if (wanted === 0) return 1;
  const unit = 10 ** Math.floor(Math.log10(wanted));
  return Number((Math.ceil(wanted / unit) * unit).toPrecision(6));
}
