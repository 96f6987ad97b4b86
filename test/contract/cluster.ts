import { randomUUID } from 'node:crypto';
import type { BatchRegistry } from '../../src/batches/batch-registry.ts';
import type { SliceCommit } from '../../src/batches/slice-commit.ts';
import type { JournalEntry } from '../../src/ledger/journal-entry.ts';
import type { CallTicket, Ledger, ReapedCall, ScopeTotals, SliceClaim } from '../../src/ledger/ledger.ts';
import { batchScope, type Scope } from '../../src/ledger/scope.ts';
import { NO_USAGE } from '../../src/money/usage.ts';

export const DAY: Scope = { name: 'workflow:triage/day', period: '2026-03-01' };
export const MONTH: Scope = { name: 'workflow:triage/month', period: '2026-03' };
export const GLOBAL_DAY: Scope = { name: 'global/day', period: '2026-03-01' };
const TIMEZONES = { workflow: 'UTC', global: 'UTC' };

/** A worker of a test: its ledger, and the lease that its holds are filed under. */
export interface ContractWorker {
  readonly lease: { readonly workerId: string };
  readonly ledger: Ledger & {
    reapDeadWorkers(onBooked?: (call: ReapedCall) => void): Promise<number>;
    /** Calls of a batch that are admitted and not settled. */
    openCalls(batchId: string): Promise<number>;
  };
}

/** The money core as its contract suites use it, on any adapter. */
export abstract class ContractCluster<Worker extends ContractWorker = ContractWorker> {
  abstract readonly batches: BatchRegistry;
  abstract worker(leaseMs?: number): Promise<Worker>;
  /** As if the lease of a worker had run out. */
  abstract endLease(workerId: string): Promise<void>;
  abstract stop(): Promise<void>;

  async queuedBatch(slices = 1, more: { readonly isTrial?: boolean } = {}): Promise<string> {
    const batchId = `b-${randomUUID().slice(0, 8)}`;
    await this.batches.create({
      batchId,
      workflow: 'triage',
      priority: 0,
      createdAt: 1_772_323_200_000,
      contentHash: 'sha256',
      sliceDocuments: 10,
      sliceTokens: 1_000,
      ...more,
    });
    await this.batches.queue(batchId, { documents: slices * 10, inputTokens: slices * 1_000, slices });
    return batchId;
  }

  async claim(batchId: string, slice = 0): Promise<SliceClaim> {
    const claimed = await this.batches.claimSlice(batchId, slice);
    if (claimed.kind !== 'owned') throw new Error(`The slice is ${claimed.kind}`);
    return { batchId, workflow: 'triage', slice, token: claimed.token, timezones: TIMEZONES };
  }

  /** A worker with a slice of a new batch in its hands. */
  async workerWithSlice(): Promise<Worker & { claim: SliceClaim }> {
    return { ...(await this.worker()), claim: await this.claim(await this.queuedBatch()) };
  }

  async totals(ledger: Ledger, claim: SliceClaim): Promise<readonly ScopeTotals[]> {
    return await Promise.all(scopesOfTest(claim.batchId).map((scope) => ledger.totals(scope)));
  }
}

export function scopesOfTest(batchId: string): readonly Scope[] {
  return [batchScope(batchId), DAY, MONTH, GLOBAL_DAY];
}

export function ticketOf(claim: SliceClaim, hold: number, overrides: Partial<CallTicket> = {}): CallTicket {
  return {
    claim,
    callId: randomUUID(),
    callKey: randomUUID(),
    model: 'small',
    hold,
    scopes: scopesOfTest(claim.batchId),
    ...overrides,
  };
}

export function entryOf(cost: number, text = 'billing'): JournalEntry {
  return {
    document: 0,
    model: 'small',
    tier: 0,
    reply: { text, finish: 'stop' },
    usage: { ...NO_USAGE, inputTokens: 100, outputTokens: 2 },
    cost,
    durationMs: 12,
  };
}

export function replyOf(cost: number, text?: string) {
  return { kind: 'reply', entry: entryOf(cost, text) } as const;
}

/** Commits every slice and ends the batch, as a finalizer does. */
export async function endBatch(
  batches: BatchRegistry,
  ...[batchId, ...end]: Parameters<BatchRegistry['finish']>
): Promise<void> {
  const { slices = 0 } = (await batches.get(batchId)) ?? {};
  for (let slice = 0; slice < slices; slice += 1) {
    const claimed = await batches.claimSlice(batchId, slice);
    if (claimed.kind === 'owned') await batches.commitSlice(batchId, slice, claimed.token, commitOf(claimed.token));
  }
  await batches.seal(batchId);
  await batches.finish(batchId, ...end);
}

export function commitOf(token: string, commit: Partial<SliceCommit> = {}): SliceCommit {
  return {
    token,
    outcomes: { succeeded: 7, failed: 2, cancelled: 0, expired: 0, skipped: 1 },
    models: [],
    cost: 0,
    journalEntries: 0,
    rejections: {},
    reused: { duplicates: 0, cached: 0, saved: 0 },
    ...commit,
  };
}
