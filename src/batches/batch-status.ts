import type { FoundQuota, Ledger, ScopeTotals } from '../ledger/ledger.ts';
import { leadingPause, type Pause } from '../ledger/pause.ts';
import { type BatchOwner, batchScope, scopesOf, type Timezones } from '../ledger/scope.ts';
import type { NanoUsd } from '../money/money.ts';
import type { PowerRecord } from '../providers/power.ts';
import type { ProviderTime } from '../providers/power-book.ts';
import type { Clock } from '../runtime/clock.ts';
import type { TierPart } from '../workflows/workflow.ts';
import type { BatchRecord, BatchRegistry, DocumentOutcome } from './batch-registry.ts';
import { type BatchState, isWorking } from './batch-states.ts';
import type { ModelTotals } from './model-totals.ts';
import type { WorkflowPauses } from './workflow-pauses.ts';

export interface BreakerStatus {
  /** `warning`: 80 % of a limit are spent. `draining`: the last tier is not asked any more. `open`: work is held. */
  readonly state: 'closed' | 'warning' | 'draining' | 'open';
  /** The pause to name first. */
  readonly hold?: Pause;
  /** All of them, of the batch and of its workflow, the oldest first. Absent: none. */
  readonly pauses?: readonly (Pause & { readonly of: 'batch' | 'workflow' })[];
  /** What is held: this batch alone, or its whole workflow. */
  readonly holds?: 'batch' | 'workflow';
  /** The scope that is nearest to its limit. */
  readonly tightest?: SpentOfLimit;
  /** The scope that leaves the batch the fewest dollars. */
  readonly narrowest?: SpentOfLimit;
}

export interface SpentOfLimit {
  readonly scope: string;
  readonly spent: NanoUsd;
  readonly limit: NanoUsd;
}

/** What it takes to finish a batch, as far as its documents so far tell. */
export interface Outlook {
  /** What the documents that are left will cost. */
  readonly more: NanoUsd;
  /** The limit that ends work before they are done; absent: the limits suffice. */
  readonly raise?: {
    readonly scope: string;
    readonly limit: NanoUsd;
    /** A limit that suffices, with a tenth to spare, where nobody else spends of it. */
    readonly to: NanoUsd;
    /** So many documents more can be done before. */
    readonly documentsBefore: number;
  };
}

/** Moments are milliseconds since the epoch. */
export interface WorkflowEvidence {
  /** Documents that the candidate was asked for too; of these, where it alone was right, and wrong. */
  readonly candidate?: {
    readonly mode: string;
    readonly documents: number;
    readonly better: number;
    readonly worse: number;
    readonly stoppedAt?: number;
  };
  /** Audited documents since the calibration, and those whose answer the last tier did not confirm. */
  readonly audit?: { readonly samples: number; readonly errors: number; readonly alarmAt?: number };
}

export interface BatchPower extends ProviderTime {
  readonly state: PowerRecord['state'];
  /** When the server came to this state, milliseconds since the epoch; 0: never switched on. */
  readonly since: number;
  /** Why it is off or has failed. */
  readonly why?: string;
}

/** What a model did in a batch, and for what it was asked; without `part`: not known, because the inputs were removed. */
export type ModelOfBatch = ModelTotals & { readonly part?: TierPart };

export interface BatchStatus {
  readonly batchId: string;
  readonly workflow: string;
  /** Of requests that name a model in place of a workflow; absent where it was not looked at. */
  readonly model?: string;
  readonly state: BatchState;
  readonly documents: Readonly<Record<DocumentOutcome | 'total' | 'done', number>>;
  readonly slices: { readonly total: number; readonly committed: number };
  readonly spent: NanoUsd;
  /** Of it, what documents have cost that are not done; absent: nothing, or not reported yet. */
  readonly begun?: NanoUsd;
  readonly uncertain: NanoUsd;
  readonly held: NanoUsd;
  readonly limit?: NanoUsd;
  /** What the whole batch will have cost at the present rate; absent before the first document is done. */
  readonly projected?: NanoUsd;
  readonly etaSeconds?: number;
  /** What it takes to finish; absent: not known yet, or nothing is left. */
  readonly outlook?: Outlook;
  readonly createdAt: number;
  readonly finishedAt?: number;
  readonly deadline?: number;
  readonly expiresAt?: number;
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly tenant?: string;
  /** Which plan of the workflow the tenant has. */
  readonly plan?: string;
  readonly retryOf?: string;
  readonly retries: readonly string[];
  readonly breaker: BreakerStatus;
  /** Live workers that cannot work on it, and why, e.g. `its config has no provider "acme"`. */
  readonly unable: ReadonlyMap<string, string>;
  /** What tests over all batches of its workflow say. Absent: nothing is tested. */
  readonly evidence?: WorkflowEvidence;
  /** Live workers that take slices of its workflow; absent: it has ended. */
  readonly workersAlive?: number;
  /** What was found out about the provider quotas that it works under; absent: nothing. */
  readonly quotas?: readonly (FoundQuota & { readonly pool: string })[];
  /** Its part of the time of servers that are switched on for batches, beside `spent`. Absent: not looked at, or it may ask none. */
  readonly power?: readonly BatchPower[];
  /** What its models did; while it runs, of its first slices. Absent: not looked at, or nothing yet. */
  readonly models?: readonly ModelOfBatch[];
}

export interface StatusContext {
  readonly batches: BatchRegistry;
  readonly ledger: Ledger;
  readonly pauses: WorkflowPauses;
  readonly clock: Clock;
}

const WARNING_SHARE = 0.8;

/** What a batch is doing, what it has cost and why it has stopped, as of now. */
export async function batchStatus(
  context: StatusContext,
  batch: BatchRecord,
  timezones: Timezones,
  drainAt?: number,
): Promise<BatchStatus> {
  const [totals, progress, workflowPauses, breaker, unable] = await Promise.all([
    context.ledger.totals(batchScope(batch.batchId)),
    context.batches.progress(batch.batchId),
    context.pauses.all(batch.workflow),
    mostConstrainedScope(context, batch, timezones),
    context.batches.unable(batch.batchId),
  ]);
  const committed = Object.values(batch.outcomes).reduce((sum, count) => sum + count, 0);
  const done = Math.min(batch.documents, committed + progress.documents);
  const pauses = isWorking(batch.state) ? pausesOf(batch, workflowPauses) : [];
  const hold = leadingPause(pauses);
  const spent = totals.settled + totals.uncertain;
  const elapsedMs = (batch.finishedAt ?? context.clock.now()) - batch.createdAt;
  const running = done > 0 && done < batch.documents;
  return {
    batchId: batch.batchId,
    workflow: batch.workflow,
    state: hold === undefined ? batch.state : 'paused',
    documents: { total: batch.documents, done, ...batch.outcomes },
    slices: { total: batch.slices, committed: batch.slicesCommitted },
    spent,
    ...(progress.begun === 0 ? {} : { begun: progress.begun }),
    uncertain: totals.uncertain,
    held: totals.held,
    ...(totals.limit === undefined ? {} : { limit: totals.limit }),
    ...(done === 0 ? {} : { projected: Math.round(((spent - progress.begun) / done) * batch.documents) }),
    ...(running ? { etaSeconds: Math.round((elapsedMs / done / 1000) * (batch.documents - done)) } : {}),
    unable: isWorking(batch.state) ? unable : new Map(),
    createdAt: batch.createdAt,
    ...pick(batch, ['finishedAt', 'deadline', 'expiresAt', 'name', 'labels', 'tenant', 'plan', 'retryOf']),
    retries: batch.retries,
    breaker:
      hold === undefined
        ? withDraining(breaker, drainAt)
        : { ...breaker, state: 'open', hold, pauses, holds: batch.pause === undefined ? 'workflow' : 'batch' },
  };
}

function pausesOf(batch: BatchRecord, ofWorkflow: readonly Pause[]): NonNullable<BreakerStatus['pauses']> {
  return [
    ...batch.pauses.map((pause) => ({ ...pause, of: 'batch' as const })),
    ...ofWorkflow.map((pause) => ({ ...pause, of: 'workflow' as const })),
  ].sort((a, b) => a.since - b.since);
}

function pick<T extends object, K extends keyof T>(value: T, keys: readonly K[]): Pick<T, K> {
  return Object.fromEntries(keys.flatMap((key) => (value[key] === undefined ? [] : [[key, value[key]]]))) as Pick<T, K>;
}

/** The scopes of a batch that are nearest to their limits, by share and by dollars. */
export async function mostConstrainedScope(
  context: Pick<StatusContext, 'ledger' | 'clock'>,
  batch: BatchOwner,
  timezones: Timezones,
): Promise<BreakerStatus> {
  const scopes = scopesOf(batch, context.clock.now(), timezones);
  const totals = await Promise.all(scopes.map((scope) => context.ledger.totals(scope)));
  let tightest: SpentOfLimit | undefined;
  let narrowest: SpentOfLimit | undefined;
  for (const [index, scope] of scopes.entries()) {
    const { limit, settled, uncertain } = totals[index] as ScopeTotals;
    if (limit === undefined) continue;
    const spent = settled + uncertain;
    if (tightest === undefined || spent * tightest.limit > tightest.spent * limit) {
      tightest = { scope: scope.name, spent, limit };
    }
    if (narrowest === undefined || limit - spent < narrowest.limit - narrowest.spent) {
      narrowest = { scope: scope.name, spent, limit };
    }
  }
  if (tightest === undefined || narrowest === undefined) return { state: 'closed' };
  return { state: tightest.spent >= tightest.limit * WARNING_SHARE ? 'warning' : 'closed', tightest, narrowest };
}

function withDraining(breaker: BreakerStatus, drainAt: number | undefined): BreakerStatus {
  return drainAt !== undefined && spentFraction(breaker) >= drainAt ? { ...breaker, state: 'draining' } : breaker;
}

/** Part of the tightest limit that is spent, 0 where there is no limit. */
export function spentFraction({ tightest }: BreakerStatus): number {
  return tightest === undefined || tightest.limit === 0 ? 0 : tightest.spent / tightest.limit;
}
