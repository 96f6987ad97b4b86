import type { WorkflowConfig } from '../../../config/config.ts';
import type { App } from '../../app.ts';
import { hasManifest } from '../../batches/batch-states.ts';
import { workflowHash } from '../../batches/workflow-hash.ts';
import { usdToNano } from '../../money/money.ts';
import { storeKeys } from '../../store/store-keys.ts';
import { type CandidateFacts, judge, type Requirements } from '../../workflows/requirements.ts';
import { LOCAL_MODEL_NAME, type WorkflowSpec } from '../../workflows/workflow.ts';
import { configFacts, type DocumentLoad, nightHours } from './candidate-facts.ts';

/** Batches that are looked through for the latest one of a workflow. */
const LOOKED_THROUGH = 100;
/** Of these, manifests that are read. */
const READ = 5;
/** What is known of a workflow's documents before its first batch: each takes a call. */
const MIN_LOAD: DocumentLoad = { calls: 1, inputTokens: 0, outputTokens: 0 };

/** What the latest batch of a workflow has taken; of a document. */
export interface LatestBatch {
  readonly load: DocumentLoad;
  readonly callSeconds?: number;
  /** Of a call of the slowest model. */
  readonly p95Seconds?: number;
  /** Nano-dollars, with decimals. */
  readonly cost: number;
}

/**
 * Requirements of a workflow that it will not meet with the latency and cost of its latest batch and the quota of today, for people.
 * What is not known is no warning.
 */
export async function requirementWarnings(
  app: Pick<App, 'config' | 'store' | 'submit'>,
  { spec, requirements }: Pick<WorkflowConfig, 'spec' | 'requirements'>,
): Promise<readonly string[]> {
  if (requirements === undefined) return [];
  const facts = knownFacts(app.config, spec, requirements, await latestBatch(app, spec));
  return judge(requirements, facts).flatMap(({ requirement, state, want, found }) =>
    state === 'unmet'
      ? [`${spec.name} will not meet its requirement ${requirement}: wanted ${want}, now ${found}.`]
      : [],
  );
}

/** What the config and the latest batch say. */
export function knownFacts(
  config: App['config'],
  spec: WorkflowSpec,
  requirements: Requirements,
  latest: LatestBatch | undefined,
): CandidateFacts {
  const exact = (value: number) => ({ value, bound: value });
  return {
    ...configFacts(config, spec),
    ...nightHours(config, spec, requirements, latest?.load ?? MIN_LOAD, latest?.callSeconds),
    ...(latest === undefined ? {} : { costPerDocument: exact(latest.cost) }),
    ...(latest?.p95Seconds === undefined ? {} : { p95Seconds: exact(latest.p95Seconds) }),
  };
}

/** The latest batch of this very version of the workflow: another cascade says nothing about this one. */
async function latestBatch(app: Pick<App, 'store' | 'submit'>, spec: WorkflowSpec): Promise<LatestBatch | undefined> {
  const batches = await app.submit.batches.list(LOOKED_THROUGH);
  const ended = batches.filter(({ workflow, state }) => workflow === spec.name && hasManifest(state));
  const hash = workflowHash(spec);
  for (const { batchId } of ended.slice(0, READ)) {
    // A warning is not worth a failure: a manifest that is gone says nothing.
    const bytes = await app.store.get(storeKeys.manifest(batchId));
    if (bytes === undefined) continue;
    const manifest: ManifestFigures = JSON.parse(Buffer.from(bytes).toString());
    if (manifest.hashes.config === hash) return readLatest(manifest);
  }
  return undefined;
}

/** The part of a manifest that is read here. */
interface ManifestFigures {
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

function readLatest({ documents, costUsd, usage, cost }: ManifestFigures): LatestBatch | undefined {
  const answered = documents.succeeded + documents.failed;
  if (answered === 0) return undefined;
  const paid = cost.byModel.filter(({ model }) => model !== LOCAL_MODEL_NAME);
  const latencies = paid.flatMap(({ latency }) => latency ?? []);
  const [first] = latencies;
  return {
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
