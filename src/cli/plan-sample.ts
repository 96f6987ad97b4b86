import type { App } from '../app.ts';
import type { DocumentSource } from '../documents/document-source.ts';
import { sampleSource } from '../documents/sample-source.ts';
import { NightmillError } from '../errors.ts';
import { formatUsd } from '../money/money.ts';
import { submitDocuments } from '../operations/submit-documents.ts';
import { startWorker } from '../worker/start-worker.ts';
import { stateLimits } from '../worker/state-limits.ts';
import { listenForStop } from '../worker/stop-signals.ts';
import { waitForBatch } from './wait-for-batch.ts';

export interface SampleJob {
  readonly workflow: string;
  readonly source: DocumentSource;
  /** Documents of the source. */
  readonly total: number;
  /** How many to ask. */
  readonly count: number;
  readonly tenant?: string | undefined;
  readonly announce: (line: string) => void;
}

/**
 * Asks some of the documents as a batch of their own, through ledger, quota and budget as any other, so that a plan can
 * say what they took. Their answers are kept: with `--new-only` the whole batch takes them.
 *
 * @throws {NightmillError} `interrupted`: a limit, a provider or a person stopped it
 */
export async function runSample(
  app: App,
  { workflow, source, total, count, tenant, announce }: SampleJob,
): Promise<void> {
  using stop = listenForStop(announce);
  await stateLimits(app, 'replace');
  const { batchId } = await submitDocuments(app, {
    workflow,
    source: sampleSource(source, total, count),
    name: 'sample for a plan',
    tenant,
    signal: stop.first,
  });
  const worker = await startWorker(app, [workflow], () => {});
  const { end, status } = await waitForBatch(app, batchId, {
    signal: stop.first,
    quiet: true,
    isHeld: ({ breaker, held }) => breaker.hold !== undefined && held === 0,
  });
  await worker.stop({ force: stop.second.aborted });
  if (end !== 'ended') {
    const why = status.breaker.hold?.reason ?? 'It was interrupted.';
    throw new NightmillError('interrupted', `The sample ${batchId} did not end, so nothing was measured. ${why}`);
  }
  const { succeeded, total: asked } = status.documents;
  announce(
    `sample ${batchId}: ${succeeded} of ${asked} documents answered for ${formatUsd(status.spent)}; submit with --new-only takes these answers`,
  );
}
