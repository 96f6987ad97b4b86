import type { BatchPower, BatchStatus, ModelOfBatch, WorkflowEvidence } from '../batches/batch-status.ts';
import type { FoundQuota } from '../ledger/ledger.ts';
import type { Pause } from '../ledger/pause.ts';
import { latencyFigures } from '../measures/latency.ts';
import { nanoToUsd, usdJson } from '../money/money.ts';
import type { TierPart } from '../workflows/workflow.ts';

/** A batch's status as `status --json`, the API and the library give it; `Usd` is what stands for an amount. */
export interface StatusView<Usd> {
  readonly id: string;
  readonly workflow: string;
  /** Of requests that name a model in place of a workflow, where one batch is asked for. */
  readonly model?: string;
  readonly state: BatchStatus['state'];
  readonly name: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly tenant: string | null;
  readonly plan: string | null;
  readonly documents: BatchStatus['documents'];
  readonly slices: BatchStatus['slices'];
  readonly spentUsd: Usd;
  readonly uncertainUsd: Usd;
  readonly heldUsd: Usd;
  /** Null: no limit of its own. */
  readonly limitUsd: Usd | null;
  /** Null: not known yet. */
  readonly projectedUsd: Usd | null;
  readonly etaSeconds: number | null;
  /** What the documents that are left will cost, and the limit to raise for it. Null: not known yet, or none is left. */
  readonly outlook: {
    readonly moreUsd: Usd;
    /** Null: the limits suffice. */
    readonly raise: {
      readonly scope: string;
      readonly limitUsd: Usd;
      readonly toUsd: Usd;
      readonly documentsBefore: number;
    } | null;
  } | null;
  /** Live workers that take slices of its workflow; absent: it has ended. */
  readonly workersAlive?: number;
  /** Workers that cannot work on it, and why. */
  /** What tests over all batches of its workflow say. Absent: nothing is tested. */
  readonly evidence?: ReturnType<typeof evidenceView>;
  readonly unableWorkers?: Readonly<Record<string, string>>;
  /** Provider quotas that were found out, of the pools that it works under. */
  readonly quotas?: readonly {
    readonly pool: string;
    readonly told: FoundQuota['told'];
    readonly found: FoundQuota['found'];
    readonly foundAt: string | null;
    readonly silentUntil: string | null;
  }[];
  /** Its part of the time of servers that are switched on for batches, beside `spentUsd`; of one batch that is asked for. */
  readonly power?: readonly {
    readonly provider: string;
    readonly state: BatchPower['state'];
    /** Null: it was never switched on. */
    readonly since: string | null;
    readonly seconds: number;
    /** Null: not known, because `price.perHour` is not set. */
    readonly costUsd: Usd | null;
  }[];
  /** Calls and their times, by model and provider; of one batch that is asked for, and while it runs of its first slices. */
  readonly models?: readonly {
    readonly model: string;
    /** Null: the local model. */
    readonly provider: string | null;
    readonly tier: number;
    /** What it was asked for. Null: not known, because the inputs were removed. */
    readonly part: TierPart | null;
    readonly calls: number;
    readonly accepted: number;
    /** Half of the calls took no longer; within 2 %. Null: no call was timed. */
    readonly p50Ms: number | null;
    readonly p95Ms: number | null;
    /** Until the first byte of the response's headers. Null: not known of any call, as of the local model. */
    readonly firstByteP50Ms: number | null;
    readonly firstByteP95Ms: number | null;
    /** Output tokens by the time of their calls. */
    readonly tokensPerSecond: number | null;
    readonly costUsd: Usd;
  }[];
  readonly createdAt: string;
  readonly finishedAt: string | null;
  readonly deadline: string | null;
  readonly expiresAt: string | null;
  readonly retryOf: string | null;
  readonly retries: readonly string[];
  readonly breaker: {
    readonly state: BatchStatus['breaker']['state'];
    readonly cause?: Pause['cause'];
    readonly reason?: string;
    readonly since?: string;
    readonly scope?: string;
    /** Every pause, the oldest first; `cause` and the rest are those of the one to name first. */
    readonly causes?: readonly {
      readonly of: 'batch' | 'workflow';
      readonly cause: Pause['cause'];
      readonly reason: string;
      readonly since: string;
      readonly scope?: string;
    }[];
    readonly tightest?: { readonly scope: string; readonly spentUsd: Usd; readonly limitUsd: Usd };
  };
}

/** With dollars that `JSON.stringify` writes as plain decimals. */
export function statusJson(status: BatchStatus): StatusView<object> {
  return statusView(status, usdJson);
}

/** With dollars as numbers. */
export function statusInUsd(status: BatchStatus): StatusView<number> {
  return statusView(status, nanoToUsd);
}

function statusView<Usd>(status: BatchStatus, usd: (nano: number) => Usd): StatusView<Usd> {
  const time = (at: number | undefined) => (at === undefined ? null : new Date(at).toISOString());
  return {
    id: status.batchId,
    workflow: status.workflow,
    ...(status.model === undefined ? {} : { model: status.model }),
    state: status.state,
    name: status.name ?? null,
    labels: status.labels ?? {},
    tenant: status.tenant ?? null,
    plan: status.plan ?? null,
    documents: status.documents,
    slices: status.slices,
    spentUsd: usd(status.spent),
    uncertainUsd: usd(status.uncertain),
    heldUsd: usd(status.held),
    limitUsd: status.limit === undefined ? null : usd(status.limit),
    projectedUsd: status.projected === undefined ? null : usd(status.projected),
    etaSeconds: status.etaSeconds ?? null,
    outlook: outlookView(status, usd),
    ...(status.workersAlive === undefined ? {} : { workersAlive: status.workersAlive }),
    ...(status.evidence === undefined ? {} : { evidence: evidenceView(status.evidence) }),
    ...(status.unable.size === 0 ? {} : { unableWorkers: Object.fromEntries(status.unable) }),
    ...(status.quotas === undefined
      ? {}
      : {
          quotas: status.quotas.map(({ pool, told, found, foundAt, silentUntil }) => ({
            pool,
            told,
            found,
            foundAt: time(foundAt),
            silentUntil: time(silentUntil),
          })),
        }),
    ...(status.power === undefined ? {} : { power: status.power.map((power) => powerView(power, usd)) }),
    ...(status.models === undefined ? {} : { models: status.models.map((model) => modelView(model, usd)) }),
    createdAt: new Date(status.createdAt).toISOString(),
    finishedAt: time(status.finishedAt),
    deadline: time(status.deadline),
    expiresAt: time(status.expiresAt),
    retryOf: status.retryOf ?? null,
    retries: status.retries,
    breaker: breakerView(status, usd),
  };
}

function powerView<Usd>({ provider, state, since, ms, cost }: BatchPower, usd: (nano: number) => Usd) {
  return {
    ...{ provider, state },
    since: since === 0 ? null : new Date(since).toISOString(),
    seconds: ms / 1000,
    costUsd: cost === undefined ? null : usd(cost),
  };
}

function modelView<Usd>(
  { model, provider, tier, part, calls, accepted, cost, latency }: ModelOfBatch,
  usd: (nano: number) => Usd,
) {
  const figures = latency === undefined ? undefined : latencyFigures(latency);
  return {
    model,
    provider: provider ?? null,
    tier,
    part: part ?? null,
    calls,
    accepted,
    p50Ms: figures?.p50Ms ?? null,
    p95Ms: figures?.p95Ms ?? null,
    firstByteP50Ms: figures?.firstByte?.p50Ms ?? null,
    firstByteP95Ms: figures?.firstByte?.p95Ms ?? null,
    tokensPerSecond: figures?.tokensPerSecond ?? null,
    costUsd: usd(cost),
  };
}

function outlookView<Usd>({ outlook }: BatchStatus, usd: (nano: number) => Usd): StatusView<Usd>['outlook'] {
  if (outlook === undefined) return null;
  const { more, raise } = outlook;
  return {
    moreUsd: usd(more),
    raise:
      raise === undefined
        ? null
        : {
            scope: raise.scope,
            limitUsd: usd(raise.limit),
            toUsd: usd(raise.to),
            documentsBefore: raise.documentsBefore,
          },
  };
}

function breakerView<Usd>({ breaker }: BatchStatus, usd: (nano: number) => Usd): StatusView<Usd>['breaker'] {
  const { state, hold, pauses = [], tightest } = breaker;
  const causes = pauses.map(({ of, ...pause }) => ({ of, ...pauseView(pause) }));
  return {
    state,
    ...(hold === undefined ? {} : { ...pauseView(hold), causes }),
    ...(tightest === undefined
      ? {}
      : { tightest: { scope: tightest.scope, spentUsd: usd(tightest.spent), limitUsd: usd(tightest.limit) } }),
  };
}

function pauseView({ cause, reason, since, scope }: Pause) {
  return { cause, reason, since: new Date(since).toISOString(), ...(scope === undefined ? {} : { scope }) };
}

/** Null: it has not been stopped, or there was no alarm. */
function evidenceView({ candidate, audit }: WorkflowEvidence) {
  const moment = (at: number | undefined) => (at === undefined ? null : new Date(at).toISOString());
  return {
    ...(candidate === undefined ? {} : { candidate: { ...candidate, stoppedAt: moment(candidate.stoppedAt) } }),
    ...(audit === undefined ? {} : { audit: { ...audit, alarmAt: moment(audit.alarmAt) } }),
  };
}
