import type { ModelTotals } from '../batches/model-totals.ts';
import type { BreakerEvent } from '../ledger/breaker-event.ts';
import { latencyFigures } from '../measures/latency.ts';
import type { NanoUsd } from '../money/money.ts';
import { usdJson } from '../money/money.ts';
import type { Usage } from '../money/usage.ts';
import type { CalibrationRef, WorkflowSpec } from '../workflows/workflow.ts';

export const MANIFEST_SCHEMA_VERSION = 2;

export interface ManifestFile {
  readonly key: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly lines: number;
}

/** Documents of the batch that were asked again after its end; their rows and money are in the manifest's. */
export interface ManifestRetry {
  readonly batch: string;
  readonly finishedAt: string;
  readonly documents: Manifest['documents'];
  readonly cost: NanoUsd;
  readonly uncertainCost: NanoUsd;
  readonly hashes: Manifest['hashes'];
}

/** A batch's receipt, in amounts of nano-dollars; `formatManifest` writes dollars. */
export interface Manifest {
  readonly batchId: string;
  readonly state: 'completed' | 'cancelled' | 'expired';
  readonly workflow: string;
  readonly task: WorkflowSpec['task'];
  readonly tenant?: string;
  readonly createdAt: string;
  readonly finishedAt: string;
  readonly inputs: readonly string[];
  readonly documents: Readonly<Record<'total' | 'succeeded' | 'failed' | 'cancelled' | 'expired' | 'skipped', number>>;
  readonly results: readonly ManifestFile[];
  readonly errors: readonly ManifestFile[];
  readonly usage: Usage;
  readonly models: readonly ModelTotals[];
  /** Rejected and escalated replies by code, and what they cost. */
  readonly rejections: Readonly<Record<string, { readonly count: number; readonly cost: NanoUsd }>>;
  /** Values of documents that were hidden from providers, by rule. */
  readonly redactions: Readonly<Record<string, number>>;
  readonly cost: NanoUsd;
  readonly uncertain: readonly {
    readonly callId: string;
    readonly model: string;
    readonly slice: number;
    readonly cost: NanoUsd;
    readonly reason: string;
  }[];
  readonly uncertainCost: NanoUsd;
  /**
   * Documents and calls that cost nothing because an equal one was paid for (`earlier`: documents that another batch had
   * answered), and what that saved.
   */
  readonly reused: {
    readonly duplicates: number;
    readonly cached: number;
    readonly earlier: number;
    readonly saved: NanoUsd;
  };
  /** What the strongest model alone would have cost, where its price and the tokens are known. */
  readonly strongest?: { readonly model: string; readonly cost: NanoUsd };
  readonly hashes: {
    readonly content: string;
    readonly config: string;
    readonly prompt: string;
    readonly models: string;
  };
  readonly promptVersion: string;
  /** Where the cascade's thresholds come from; absent: from the config. */
  readonly calibration?: CalibrationRef;
  readonly breaker: readonly BreakerEvent[];
  /** The batch whose documents this one asked again. */
  readonly retryOf?: string;
  readonly retries?: readonly ManifestRetry[];
}

/** The manifest as it stands in the store and in the download; `docs/manifest.schema.json` is its schema. */
export function formatManifest(manifest: Manifest): string {
  const usd = usdJson;
  const total = manifest.documents.total;
  return `${JSON.stringify(
    {
      schemaVersion: MANIFEST_SCHEMA_VERSION,
      batch: manifest.batchId,
      state: manifest.state,
      workflow: manifest.workflow,
      task: manifest.task,
      ...(manifest.tenant === undefined ? {} : { tenant: manifest.tenant }),
      createdAt: manifest.createdAt,
      finishedAt: manifest.finishedAt,
      inputs: manifest.inputs,
      documents: manifest.documents,
      files: [...manifest.results, ...manifest.errors],
      usage: manifest.usage,
      costUsd: usd(manifest.cost),
      uncertainUsd: usd(manifest.uncertainCost),
      cost: {
        byModel: manifest.models.map((model) => modelJson(model, total)),
        uncertain: {
          calls: manifest.uncertain.length,
          costUsd: usd(manifest.uncertainCost),
          list: manifest.uncertain.map(({ cost, ...call }) => ({ ...call, costUsd: usd(cost) })),
        },
        reused: {
          duplicates: manifest.reused.duplicates,
          cachedCalls: manifest.reused.cached,
          earlierDocuments: manifest.reused.earlier,
          savedUsd: usd(manifest.reused.saved),
        },
        ...(manifest.strongest === undefined
          ? {}
          : { strongestAlone: { model: manifest.strongest.model, costUsd: usd(manifest.strongest.cost) } }),
      },
      rejections: Object.fromEntries(
        Object.entries(manifest.rejections).map(([code, { count, cost }]) => [code, { count, costUsd: usd(cost) }]),
      ),
      redactions: manifest.redactions,
      hashes: manifest.hashes,
      promptVersion: manifest.promptVersion,
      ...(manifest.calibration === undefined ? {} : { calibration: manifest.calibration }),
      breaker: manifest.breaker,
      ...(manifest.retryOf === undefined ? {} : { retryOf: manifest.retryOf }),
      ...(manifest.retries === undefined
        ? {}
        : {
            retries: manifest.retries.map(({ cost, uncertainCost, ...retry }) => ({
              ...retry,
              costUsd: usd(cost),
              uncertainUsd: usd(uncertainCost),
            })),
          }),
    },
    null,
    2,
  )}\n`;
}

function modelJson(totals: ModelTotals, documents: number) {
  const { model, provider, tier, calls, accepted, usage, cost, latency, statedCalls, overCapCalls } = totals;
  return {
    model,
    ...(provider === undefined ? {} : { provider }),
    tier,
    calls,
    accepted,
    acceptedShare: documents === 0 ? 0 : Number((accepted / documents).toFixed(4)),
    usage,
    costUsd: usdJson(cost),
    ...(statedCalls === undefined ? {} : { statedCalls }),
    ...(overCapCalls === undefined ? {} : { overCapCalls }),
    ...(latency === undefined ? {} : { latency: { ...latencyFigures(latency), ...latency } }),
  };
}
