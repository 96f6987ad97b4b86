import type { BatchRecord } from '../../batches/batch-registry.ts';
import { hasManifest } from '../../batches/batch-states.ts';
import { workflowHash } from '../../batches/workflow-hash.ts';
import { usdToNano } from '../../money/money.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { storeKeys } from '../../store/store-keys.ts';
import { LOCAL_MODEL_NAME, type WorkflowSpec } from '../../workflows/workflow.ts';
import type { DocumentLoad } from './candidate-facts.ts';

/** Batches that are looked through for the latest one of a workflow. */
export const LOOKED_THROUGH = 100;
/** Of these, manifests that are read. */
const READ = 5;

/** What the latest batch of a workflow has taken; of a document. */
export interface LatestBatch {
  /** ISO time. */
  readonly finishedAt: string;
  readonly load: DocumentLoad;
  readonly callSeconds?: number;
  /** Of a call of the slowest model. */
  readonly p95Seconds?: number;
  /** Nano-dollars, with decimals. */
  readonly cost: number;
}

/**
 * The latest batch of this very version of a workflow: another cascade says nothing about this one.
 *
 * @param recent the newest first
 */
export async function latestBatch(
  store: Pick<ObjectStore, 'get'>,
  recent: readonly Pick<BatchRecord, 'batchId' | 'workflow' | 'state'>[],
  spec: WorkflowSpec,
): Promise<LatestBatch | undefined> {
  const ended = recent.filter(({ workflow, state }) => workflow === spec.name && hasManifest(state));
  const hash = workflowHash(spec);
  for (const { batchId } of ended.slice(0, READ)) {
    // What is only a help is not worth a failure: a manifest that is gone says nothing.
    const bytes = await store.get(storeKeys.manifest(batchId));
    if (bytes === undefined) continue;
    const manifest: ManifestFigures = JSON.parse(Buffer.from(bytes).toString());
    if (manifest.hashes.config === hash) return readLatest(manifest);
  }
  return undefined;
}

/** The part of a manifest that is read here. */
interface ManifestFigures {
  readonly finishedAt: string;
  readonly hashes: { readonly config: string };
  readonly documents: { readonly succeeded: number; readonly failed: number };
  readonly costUsd: number;
  readonly usage: { readonly inputTokens: number; readonly outputTokens: number };
  readonly cost: {
    readonly byModel: readonly {
      readonly model: string;
      readonly calls: number;
      readonly latency?: { readonly p50Ms: number; readonly p95Ms: number };
    }[];
  };
}

function readLatest({ finishedAt, documents, costUsd, usage, cost }: ManifestFigures): LatestBatch | undefined {
  const answered = documents.succeeded + documents.failed;
  if (answered === 0) return undefined;
  const paid = cost.byModel.filter(({ model }) => model !== LOCAL_MODEL_NAME);
  const latencies = paid.flatMap(({ latency }) => latency ?? []);
  const [first] = latencies;
  return {
    finishedAt,
    load: {
      calls: paid.reduce((sum, { calls }) => sum + calls, 0) / answered,
      inputTokens: usage.inputTokens / answered,
      outputTokens: usage.outputTokens / answered,
    },
    ...(first === undefined || first.p50Ms === 0 ? {} : { callSeconds: first.p50Ms / 1_000 }),
    ...(first === undefined ? {} : { p95Seconds: Math.max(...latencies.map(({ p95Ms }) => p95Ms)) / 1_000 }),
    cost: usdToNano(costUsd) / answered,
  };
}
