import { answeredBatches } from '../../batches/answered-texts.ts';
import { StoreError } from '../../errors.ts';
import { manifestOf } from '../../finalize/earlier-batches.ts';
import type { Manifest } from '../../finalize/manifest.ts';
import { addLatency, type Latency, latencyFigures } from '../../measures/latency.ts';
import { latencyText, nameAt } from '../../measures/latency-text.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { allTiers, LOCAL_MODEL_NAME, modelsOfTier, type RoutedTiers } from '../../workflows/workflow.ts';

/** Manifests that are read: a model's speed of last month says little about tonight. */
const BATCHES_READ = 5;
/** Of batches that are looked for, since some may have been deleted. */
const BATCHES_TRIED = 4 * BATCHES_READ;

/** How fast a model was in a workflow's latest batches. */
export interface PastLatency {
  readonly model: string;
  readonly provider: string;
  /** Batches in which it was called and timed. */
  readonly batches: number;
  /** ISO time at which the last of them ended. Absent: there is none. */
  readonly lastFinishedAt?: string;
  /** Absent: not known. */
  readonly latency?: Latency;
}

/**
 * How fast each model of a workflow was in its latest completed batches. It asks the store alone, so that it is known where no Redis runs.
 *
 * @param tenant whose batches count; absent: all
 */
export async function pastLatency(
  store: Pick<ObjectStore, 'list' | 'get'>,
  workflow: RoutedTiers & { readonly name: string },
  tenant: string | undefined,
): Promise<readonly PastLatency[]> {
  return latencyByModel(workflow, await latestManifests(store, workflow.name, tenant));
}

async function latestManifests(
  store: Pick<ObjectStore, 'list' | 'get'>,
  workflow: string,
  tenant: string | undefined,
): Promise<readonly Manifest[]> {
  const manifests: Manifest[] = [];
  for (const batchId of (await answeredBatches(store, workflow, tenant)).slice(0, BATCHES_TRIED)) {
    const manifest = await manifestOf(store, { batchId }).catch(skipDamaged);
    if (manifest !== undefined) manifests.push(manifest);
    if (manifests.length === BATCHES_READ) break;
  }
  return manifests;
}

/** What is only a help is not worth a failure: a manifest that is damaged says nothing. */
function skipDamaged(error: unknown): undefined {
  if (error instanceof StoreError) throw error;
}

/** @param manifests the latest first */
function latencyByModel(workflow: RoutedTiers, manifests: readonly Manifest[]): readonly PastLatency[] {
  const models = new Map(
    allTiers(workflow)
      .flatMap(modelsOfTier)
      .map((model) => [model.name, model]),
  );
  models.delete(LOCAL_MODEL_NAME);
  return [...models.values()].map(({ name: model, provider, id }) => {
    const timed = manifests.flatMap(({ models: sums, cascade = [], finishedAt }) => {
      // Another model had this name then.
      if (cascade.some((known) => known.model === model && known.id !== id)) return [];
      const own = sums.filter((sum) => sum.model === model && sum.provider === provider);
      const latency = own.reduce<Latency | undefined>((sum, each) => addLatency(sum, each.latency), undefined);
      return latency === undefined ? [] : [{ latency, finishedAt }];
    });
    const latency = timed.reduce<Latency | undefined>((sum, each) => addLatency(sum, each.latency), undefined);
    if (latency === undefined) return { model, provider, batches: 0 };
    const lastFinishedAt =
      timed
        .map(({ finishedAt }) => finishedAt)
        .sort()
        .at(-1) ?? '';
    return { model, provider, batches: timed.length, lastFinishedAt, latency };
  });
}

/** For people, a line each. @param past undefined: the store cannot be read */
export function pastLatencyTexts(past: readonly PastLatency[] | undefined): readonly string[] {
  if (past === undefined) return ['NOT KNOWN: the store cannot be read'];
  return past.map(({ model, provider, batches, lastFinishedAt, latency }) => {
    const name = nameAt(model, provider);
    if (latency === undefined) return `${name}: NOT KNOWN, no call of it in this workflow's latest completed batches`;
    const of = batches === 1 ? '1 batch, which' : `${batches} batches, the last of which`;
    return `${latencyText(name, latencyFigures(latency))} of ${of} ended ${lastFinishedAt}`;
  });
}

/** As `plan --json` has it. Null: not known. */
export function pastLatencyJson(past: readonly PastLatency[] | undefined): readonly object[] | null {
  if (past === undefined) return null;
  return past.map(({ model, provider, batches, lastFinishedAt = null, latency }) => {
    const figures = latency === undefined ? undefined : latencyFigures(latency);
    return {
      model,
      provider,
      calls: figures?.calls ?? 0,
      batches,
      lastFinishedAt,
      p50Ms: figures?.p50Ms ?? null,
      p95Ms: figures?.p95Ms ?? null,
      firstByteP50Ms: figures?.firstByte?.p50Ms ?? null,
      firstByteP95Ms: figures?.firstByte?.p95Ms ?? null,
      tokensPerSecond: figures?.tokensPerSecond ?? null,
    };
  });
}
