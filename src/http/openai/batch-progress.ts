import type { App } from '../../app.ts';
import { hasManifest } from '../../batches/batch-states.ts';
import type { BatchPart, CompatBatch, TokenCounts } from '../../compat/openai-records.ts';
import { addUsage, NO_USAGE } from '../../money/usage.ts';
import { readManifestBytes } from '../../results/result-files.ts';
import type { BatchProgress } from './batch-object.ts';

const NOTHING: BatchProgress = { counts: { total: 0, completed: 0, failed: 0 }, usage: NO_USAGE };

/** What a batch has done so far, by its committed slices; both counts only grow, and at its end they add up to the total. */
export async function readProgress(app: Pick<App, 'batches' | 'store'>, batch: CompatBatch): Promise<BatchProgress> {
  if (batch.ended !== undefined) return batch.ended;
  const parts = await Promise.all((batch.planned?.parts ?? []).map((part) => partProgress(app, part)));
  return parts.reduce(
    (sum, { counts, usage }) => ({
      counts: {
        total: sum.counts.total + counts.total,
        completed: sum.counts.completed + counts.completed,
        failed: sum.counts.failed + counts.failed,
      },
      usage: addUsage({ ...NO_USAGE, ...sum.usage }, { ...NO_USAGE, ...usage }),
    }),
    NOTHING,
  );
}

async function partProgress(
  app: Pick<App, 'batches' | 'store'>,
  { batchId, lines }: BatchPart,
): Promise<BatchProgress> {
  const batch = await app.batches.get(batchId);
  if (batch === undefined) return { counts: { total: lines, completed: 0, failed: 0 }, usage: NO_USAGE };
  const { succeeded, ...others } = batch.outcomes;
  const failed = Object.values(others).reduce((sum, count) => sum + count, 0);
  const usage = hasManifest(batch.state)
    ? await usageOfManifest(app, batchId)
    : await usageOfCommits(app, batchId, batch.slices);
  return { counts: { total: lines, completed: succeeded, failed }, usage };
}

async function usageOfManifest(app: Pick<App, 'store'>, batchId: string): Promise<TokenCounts> {
  const manifest = JSON.parse(Buffer.from(await readManifestBytes(app.store, batchId)).toString());
  return (manifest as { usage: TokenCounts }).usage;
}

async function usageOfCommits(app: Pick<App, 'batches'>, batchId: string, slices: number): Promise<TokenCounts> {
  let sum = NO_USAGE;
  for await (const commit of app.batches.commits(batchId, slices)) {
    for (const { usage } of commit?.models ?? []) sum = addUsage(sum, usage);
  }
  return sum;
}
