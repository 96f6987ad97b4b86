import { poweredIn } from '../../../config/config.ts';
import type { App } from '../../app.ts';
import type { BatchRecord } from '../../batches/batch-registry.ts';
import { hasManifest } from '../../batches/batch-states.ts';
import type { BatchPower, BatchStatus } from '../../batches/batch-status.ts';
import { ModelSums, type ModelTotals, withProviders } from '../../batches/model-totals.ts';
import { readManifest } from '../../finalize/read-manifest.ts';
import { batchPower } from '../../providers/power-book.ts';
import { storeKeys } from '../../store/store-keys.ts';
import { powerNote, readPower } from '../../worker/power/power-keeper.ts';
import { partOfTier, poweredProviders } from '../../workflows/workflow.ts';
import { modelOfRequests, readStatus, requireBatch } from '../read-status.ts';

/** Slices that a look at a batch under way adds up; those of a large batch tell no more. */
const SLICES_READ = 200;

/**
 * A batch's status with what its models did, where that is known. It reads commits or the manifest, so it is for whoever
 * looks at one batch.
 *
 * @throws {NightmillError} `batch_unknown`
 */
export async function readStatusAndModels(app: App, batchId: string): Promise<BatchStatus> {
  const [found, batch] = [await readStatus(app, batchId), await requireBatch(app, batchId)];
  const model = await modelOfRequests(app, batch);
  const status = model === undefined ? found : { ...found, model };
  const models = hasManifest(batch.state) ? await modelsOfManifest(app, batchId) : await modelsSoFar(app, batch);
  return await addPower(
    app,
    models.length === 0 ? status : { ...status, models: await withParts(app, batchId, models) },
  );
}

/** A candidate's tiers, and the one that says where documents begin, have their place after the cascade's: it does not tell them apart. */
async function withParts(
  app: App,
  batchId: string,
  models: readonly ModelTotals[],
): Promise<NonNullable<BatchStatus['models']>> {
  if ((await app.store.head(storeKeys.submission(batchId))) === undefined) return models;
  const { workflow } = await app.slices.submission(batchId);
  return models.map((model) => ({ ...model, part: partOfTier(workflow, model.tier) }));
}

/** Says what self-hosted servers have done for a batch, where its documents are still known. */
export async function addPower(app: App, status: BatchStatus): Promise<BatchStatus> {
  const { batchId, createdAt: since, finishedAt: until = app.clock.now() } = status;
  const powered = poweredIn(app.config);
  if (powered.size === 0 || (await app.store.head(storeKeys.submission(batchId))) === undefined) return status;
  const { workflow } = await app.slices.submission(batchId);
  const times = await batchPower(app.store, poweredProviders(workflow, powered), { batchId, since, until });
  if (times.length === 0) return status;
  const power = times.map(async (time) => ({ ...time, ...(await readServer(app, time.provider)) }));
  return { ...status, power: await Promise.all(power) };
}

async function readServer({ memory }: App, provider: string): Promise<Pick<BatchPower, 'state' | 'since' | 'why'>> {
  const { state, since, why } = readPower(await memory.noted(powerNote(provider)));
  return why === undefined ? { state, since } : { state, since, why };
}

async function modelsOfManifest({ store }: Pick<App, 'store'>, batchId: string): Promise<readonly ModelTotals[]> {
  const bytes = await store.get(storeKeys.manifest(batchId));
  return bytes === undefined ? [] : readManifest(Buffer.from(bytes).toString(), () => true).models;
}

async function modelsSoFar(app: App, batch: BatchRecord): Promise<readonly ModelTotals[]> {
  if (batch.slicesCommitted === 0) return [];
  const models = new ModelSums();
  for await (const commit of app.batches.commits(batch.batchId, Math.min(batch.slices, SLICES_READ))) {
    if (commit !== undefined) models.add(commit.models);
  }
  const { workflow } = await app.slices.submission(batch.batchId);
  return withProviders(models.total(), workflow);
}
