import type { BatchRecord, BatchRegistry } from '../batches/batch-registry.ts';
import { hasManifest } from '../batches/batch-states.ts';
import type { Notice, Notify } from '../budgets/notice.ts';
import { canBeJudged, type SlowerModel, slowerModels } from '../measures/latency-drift.ts';
import type { Log } from '../runtime/log.ts';
import type { ObjectStore } from '../store/object-store.ts';

import { earlierBatches, manifestOf } from './earlier-batches.ts';
import type { Manifest } from './manifest.ts';

export interface TellSlowerContext {
  readonly store: ObjectStore;
  readonly batches: Pick<BatchRegistry, 'list'>;
  readonly notify: Notify;
  readonly log: Log;
}

const NIGHTS_MS = 7 * 86_400_000;
/** The batches before are looked for among so many newest ones of all workflows. */
const MAX_LISTED = 500;
/** Two a night; of a workflow with more, the newest. */
const MAX_READ = 14;

/** Tells people of models that answer far slower in this batch than in the workflow's last seven nights. Fails nothing. */
export async function tellSlower(context: TellSlowerContext, batch: BatchRecord, manifest: Manifest): Promise<void> {
  // Small batches, of which there may be many, cost no look.
  if (batch.retryOf !== undefined || batch.isTrial === true || !canBeJudged(manifest.models)) return;
  try {
    const before = await earlierManifests(context, batch, Date.parse(manifest.finishedAt));
    const slower = slowerModels(
      manifest.models,
      before.map(({ models }) => models),
    );
    for (const model of slower) {
      const notice = slowerNotice(batch, manifest.finishedAt.slice(0, 10), model);
      context.log.warn('latency:drifted', { batch: batch.batchId, workflow: batch.workflow, ...model });
      await context.notify(notice);
    }
  } catch (error) {
    const reason = (error as Error).message;
    context.log.warn('alert:lost', { event: 'latency:drifted', subject: batch.batchId, reason });
  }
}

async function earlierManifests(
  { batches, store }: TellSlowerContext,
  batch: BatchRecord,
  now: number,
): Promise<readonly Manifest[]> {
  const read: Promise<Manifest | undefined>[] = [];
  for await (const other of earlierBatches(batches, batch, MAX_LISTED)) {
    if (!hasManifest(other.state) || (other.finishedAt ?? 0) <= now - NIGHTS_MS) continue;
    if (read.push(manifestOf(store, other)) === MAX_READ) break;
  }
  return (await Promise.all(read)).filter((manifest) => manifest !== undefined);
}

function slowerNotice({ batchId, workflow }: BatchRecord, day: string, slower: SlowerModel): Notice {
  const { model, provider, p95Ms, usualP95Ms, batches } = slower;
  const above = Math.round((p95Ms / usualP95Ms - 1) * 100);
  const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
  return {
    event: 'latency:drifted',
    subject: model,
    message:
      `Model ${model}${provider === undefined ? '' : ` of ${provider}`} has become slow: in batch ${batchId} (${workflow}) the slowest 5 % of its calls took ${seconds(p95Ms)} and more, ` +
      `${above} % above the ${seconds(usualP95Ms)} of the last seven nights (${batches} batches). To see all models: nightmill report --by model`,
    details: { workflow, batch: batchId, model, ...(provider === undefined ? {} : { provider }), p95Ms, usualP95Ms },
    // Not for each of many batches of a day.
    key: `${workflow}|${provider ?? ''}|${model}|${day}`,
  };
}
