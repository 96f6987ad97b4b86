import type { App } from '../../app.ts';
import { NightmillError } from '../../errors.ts';
import {
  type BatchComparison,
  type BatchName,
  type ComparedRow,
  compareBatches,
} from '../../evaluation/compare-batches.ts';
import { pairRows } from '../../evaluation/pair-rows.ts';
import { readManifest, readRows } from '../results.ts';

/**
 * Compares what two ended batches have answered to the same documents, from the store and without a call.
 *
 * @throws {NightmillError} `usage`: they are one batch, or have no document in common; `batch_unknown`; `batch_state`: not ended, or rows removed
 */
export async function compareEndedBatches(app: App, a: string, b: string): Promise<BatchComparison> {
  if (a === b) throw new NightmillError('usage', `Cannot compare ${a} with itself: name two batches.`);
  const names = await Promise.all([nameOf(app, a), nameOf(app, b)]);
  const comparison = await compareBatches(names, pairRows(rowsOf(app, a), rowsOf(app, b)));
  if (comparison.documents.both > 0) return comparison;
  throw new NightmillError(
    'usage',
    `Cannot compare ${a} and ${b}: they have no document id in common. Submit one input twice, e.g. with --id or another workflow.`,
  );
}

async function nameOf(app: App, batch: string): Promise<BatchName> {
  const manifest = JSON.parse(Buffer.from(await readManifest(app, batch)).toString());
  return { batch, workflow: manifest.workflow, content: manifest.hashes.content };
}

async function* rowsOf(app: App, batch: string): AsyncGenerator<ComparedRow> {
  for (const kind of ['results', 'errors'] as const) {
    for await (const row of readRows(app, batch, kind)) yield row as ComparedRow;
  }
}
