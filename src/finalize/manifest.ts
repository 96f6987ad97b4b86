import type { PriceOrigin } from '../batches/batch-submission.ts';
import type { ModelTotals } from '../batches/model-totals.ts';
import type { ServedModel } from '../batches/slice-commit.ts';
import type { BreakerEvent } from '../ledger/breaker-event.ts';
import { type Latency, latencyFigures } from '../measures/latency.ts';
import type { NanoUsd } from '../money/money.ts';
import { usdJson } from '../money/money.ts';
import type { TokenPrice } from '../money/price.ts';
import type { Usage } from '../money/usage.ts';
import type { Lessons } from '../providers/lesson-book.ts';
import type { ProviderTime } from '../providers/power-book.ts';
import type { CalibrationRef, Spread, WorkflowSpec } from '../workflows/workflow.ts';

export const MANIFEST_SCHEMA_VERSION = 2;

export interface ManifestFile {
  readonly key: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly lines: number;
}

/** A model that the batch may ask. */
export interface ManifestModel {
  readonly tier: number;
  readonly model: string;
  readonly provider: string;
  /** The provider's name of it. */
  readonly id: string;
  /** It is one of several hosts of the tier's model, and how calls go to them. */
  readonly spread?: Spread;
  /** It stands in for its tier's own. */
  readonly fallback?: boolean;
  readonly acceptAt?: number;
  /** Absent: unknown. */
  readonly price?: TokenPrice;
  readonly priceFrom?: PriceOrigin;
  /** How it was asked otherwise than the config says, since it had refused that. */
  readonly learned?: Lessons;
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
  /** Which plan of the workflow the tenant has. */
  readonly plan?: string;
  readonly createdAt: string;
  readonly finishedAt: string;
  readonly inputs: readonly string[];
  readonly documents: Readonly<Record<'total' | 'succeeded' | 'failed' | 'cancelled' | 'expired' | 'skipped', number>>;
  readonly results: readonly ManifestFile[];
  readonly errors: readonly ManifestFile[];
  readonly usage: Usage;
  readonly models: readonly ModelTotals[];
  /** Models of the workflow as it was submitted, with what they cost then. */
  readonly cascade?: readonly ManifestModel[];
  /** Who the providers say has answered. */
  readonly served?: readonly ServedModel[];
  /** What is odd about the batch as a whole: `code: what, in words`. */
  readonly warnings?: readonly string[];
  /** Limits that counted at its end, by scope. */
  readonly limits?: Readonly<Record<string, NanoUsd>>;
  readonly priority?: number;
  /** Version of the program that took it. */
  readonly program?: string;
  readonly submittedBy?: string;
  /** How long breakers held it up. */
  readonly pausedSeconds?: number;
  /** Documents by label, for tasks that have them. */
  readonly labels?: Readonly<Record<string, number>>;
  /** Failed calls that were made again, by the kind of failure. */
  readonly callRetries?: Readonly<Record<string, number>>;
  /** What was compared while it ran, as counts: audited documents and their disagreements, and what came of it. */
  readonly evidence?: Readonly<Record<string, number>>;
  /** The ten documents that cost most, the dearest first. */
  readonly dearest?: readonly { readonly id: string; readonly cost: NanoUsd }[];
  /** About which part of the input tokens, 0 to 1, were the same instructions again and again. */
  readonly instructionsShare?: number;
  /** Answers that were not sure enough for their tier, and what they cost. */
  readonly escalations?: Manifest['rejections'];
  /** Replies that failed a check, by code, and what they cost. */
  readonly rejections: Readonly<Record<string, { readonly count: number; readonly cost: NanoUsd }>>;
  /** Values of documents that were hidden from providers, by rule. */
  readonly redactions: Readonly<Record<string, number>>;
  readonly cost: NanoUsd;
  readonly uncertain: readonly {
    readonly callId: string;
    readonly model: string;
    readonly slice: number;
    /** Id of the document that it was for. */
    readonly document?: string;
    /** When it was asked for. */
    readonly at?: string;
    readonly requestId?: string;
    readonly cost: NanoUsd;
    readonly reason: string;
  }[];
  readonly uncertainCost: NanoUsd;
  /** Its part of the time of servers that are switched on for batches, booked beside `cost`. Absent: it may ask none. */
  readonly power?: readonly ProviderTime[];
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
  readonly strongest?: {
    readonly model: string;
    readonly cost: NanoUsd;
    /** How it was reckoned, for people. */
    readonly basis?: string;
  };
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
  /** One text over all documents, as `digestJson` has it, with the keys of its pages. */
  readonly digest?: object;
  /** The batch whose documents this one asked again. */
  readonly retryOf?: string;
  readonly retries?: readonly ManifestRetry[];
}

/** The manifest as it stands in the store and in the download; `docs/manifest.schema.json` is its schema. */
export function formatManifest(manifest: Manifest): string {
  const usd = usdJson;
  return `${JSON.stringify(
    {
      schemaVersion: MANIFEST_SCHEMA_VERSION,
      batch: manifest.batchId,
      state: manifest.state,
      workflow: manifest.workflow,
      task: manifest.task,
      ...(manifest.tenant === undefined ? {} : { tenant: manifest.tenant }),
      ...pick(manifest, ['plan', 'program', 'submittedBy', 'priority']),
      createdAt: manifest.createdAt,
      finishedAt: manifest.finishedAt,
      ...pick(manifest, ['pausedSeconds']),
      inputs: manifest.inputs,
      documents: manifest.documents,
      ...pick(manifest, ['labels', 'evidence']),
      files: [...manifest.results, ...manifest.errors],
      usage: manifest.usage,
      costUsd: usd(manifest.cost),
      costNanoUsd: manifest.cost,
      uncertainUsd: usd(manifest.uncertainCost),
      cost: costJson(manifest),
      ...(manifest.limits === undefined ? {} : { limitsUsd: mapValues(manifest.limits, usd) }),
      ...(manifest.cascade === undefined ? {} : { cascade: manifest.cascade.map(formatModel) }),
      ...pick(manifest, ['served', 'warnings', 'callRetries']),
      ...(manifest.escalations === undefined ? {} : { escalations: formatCodes(manifest.escalations) }),
      rejections: formatCodes(manifest.rejections),
      redactions: manifest.redactions,
      hashes: manifest.hashes,
      promptVersion: manifest.promptVersion,
      ...(manifest.calibration === undefined ? {} : { calibration: manifest.calibration }),
      breaker: manifest.breaker,
      ...pick(manifest, ['digest']),
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

function costJson(manifest: Manifest): object {
  const usd = usdJson;
  const { total } = manifest.documents;
  return {
    byModel: manifest.models.map((model) => ({ ...modelJson(model, total), ...hostShare(manifest, model) })),
    ...(manifest.dearest === undefined
      ? {}
      : { dearest: manifest.dearest.map(({ id, cost }) => ({ id, costUsd: usd(cost) })) }),
    ...pick(manifest, ['instructionsShare']),
    ...(manifest.power === undefined ? {} : { power: manifest.power.map(powerJson) }),
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
      : {
          strongestAlone: {
            model: manifest.strongest.model,
            costUsd: usd(manifest.strongest.cost),
            ...(manifest.strongest.basis === undefined ? {} : { basis: manifest.strongest.basis }),
          },
        }),
  };
}

function powerJson({ provider, ms, cost }: ProviderTime) {
  // Unknown is not nothing.
  return { provider, seconds: ms / 1000, costUsd: cost === undefined ? null : usdJson(cost) };
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
    costNanoUsd: cost,
    ...(accepted === 0 ? {} : { usdPer1000Answered: usdJson(Math.round((cost * 1000) / accepted)) }),
    ...(statedCalls === undefined ? {} : { statedCalls }),
    ...(overCapCalls === undefined ? {} : { overCapCalls }),
    ...(latency === undefined ? {} : { latency: latencyJson(latency) }),
  };
}

function latencyJson(latency: Latency) {
  const figures = latencyFigures(latency);
  const { firstByte } = latency;
  return {
    ...figures,
    ...latency,
    ...(firstByte === undefined ? {} : { firstByte: { ...figures.firstByte, ...firstByte } }),
  };
}

/** Which part of the calls to the hosts of a tier's model went to this one. */
function hostShare({ cascade = [], models }: Manifest, totals: ModelTotals): { readonly hostShare?: number } {
  const hosts = cascade.filter(({ tier, spread }) => tier === totals.tier && spread !== undefined);
  if (!hosts.some(({ model }) => model === totals.model)) return {};
  const calls = models
    .filter(({ tier, model }) => tier === totals.tier && hosts.some((host) => host.model === model))
    .reduce((sum, each) => sum + each.calls, 0);
  return calls === 0 ? {} : { hostShare: Number((totals.calls / calls).toFixed(4)) };
}

function formatCodes(codes: Manifest['rejections']): object {
  return mapValues(codes, ({ count, cost }) => ({ count, costUsd: usdJson(cost) }));
}

/** Rates in dollars per million tokens, as a config states them. */
function formatModel({ price, priceFrom, ...model }: ManifestModel): object {
  return {
    ...model,
    ...(price === undefined ? {} : { price: formatRates(price) }),
    ...(priceFrom === undefined ? {} : { priceFrom }),
  };
}

function formatRates(price: TokenPrice): object {
  const { longContext, ...rates } = price;
  const inUsd = (each: object) =>
    Object.fromEntries(
      Object.entries(each).map(([name, value]) => [name, name.endsWith('PerMillion') ? usdJson(value) : value]),
    );
  return { ...inUsd(rates), ...(longContext === undefined ? {} : { longContext: longContext.map(inUsd) }) };
}

function mapValues<T, R>(record: Readonly<Record<string, T>>, map: (value: T) => R): Readonly<Record<string, R>> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));
}

/** Fields that are written as they are; absent ones in manifests of earlier versions. */
function pick<K extends keyof Manifest>(manifest: Manifest, names: readonly K[]): object {
  return Object.fromEntries(names.flatMap((name) => (manifest[name] === undefined ? [] : [[name, manifest[name]]])));
}
