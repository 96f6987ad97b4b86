import type { BatchRegistry } from '../batches/batch-registry.ts';
import { hasManifest } from '../batches/batch-states.ts';
import { CallOwner } from '../calls/call-owner.ts';
import { StopError } from '../calls/stop.ts';
import type { PaidTiers } from '../cascades/cascade-stages.ts';
import type { CallOwners } from '../ledger/call-owners.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { batchScope, type Timezones } from '../ledger/scope.ts';
import type { LocalModel } from '../local-model/local-model.ts';
import { addUsage, NO_USAGE } from '../money/usage.ts';
import type { AnswerDocumentContext } from '../slices/answer-document.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { LOCAL_MODEL_NAME, type WorkflowSpec } from '../workflows/workflow.ts';
import type { DigestSpending, DigestTexts, ModelSpending } from './digest.ts';
import { type AnswerGroup, type DigestBatch, readAnswers } from './read-answers.ts';
import { type WriteText, writeTexts, writeWithModels } from './write-texts.ts';

/** What it takes to ask models for a digest. */
export interface DigestAsking {
  readonly models: AnswerDocumentContext;
  readonly owners: CallOwners;
  /** Aborts when no new call may begin: the process ends. */
  readonly stopping?: AbortSignal;
  /** Aborts when calls in flight are given up too. */
  readonly forced?: AbortSignal;
}

/** What is known of the batch. */
interface DigestBooks {
  readonly store: ObjectStore;
  readonly ledger: Ledger;
  readonly batches: Pick<BatchRegistry, 'get'>;
}

export interface DigestWish extends DigestBatch {
  readonly tenant?: string | undefined;
  readonly timezones: Timezones;
  /** The trace that its calls belong to. */
  readonly traceparent?: string | undefined;
}

/** The run in whose name a batch's digest asks models. */
export function digestRun(batchId: string): string {
  return `digest-${batchId}`;
}

/** A night does not wait for its digest for longer. */
const LONGEST_MS = 10 * 60_000;
const NOTHING_SPENT: DigestSpending = { byModel: [], models: [] };

/**
 * The texts of a batch's digest. Its calls have an owner of their own: they are booked in the limits of workflow, tenant
 * and all, and have at most what is left of the batch's. Done again after a crash, it pays nothing twice: its run keeps its
 * replies until it is forgotten, which is to be done when the batch has ended.
 *
 * @param asking absent: no model may be asked, e.g. because the batch was cancelled
 * @throws {StopError} this process ends, or another one makes the digest
 */
export async function makeDigest(
  { store, ledger, batches }: DigestBooks,
  wish: DigestWish,
  asking: DigestAsking | undefined,
): Promise<DigestTexts> {
  if (asking === undefined) return digestWithoutText(wish, NOT_ASKED);
  const groups = await readAnswers(store, wish);
  const read = { documents: groups.reduce((sum, { texts }) => sum + texts.length, 0), of: wish.succeeded };
  if (read.documents === 0) return digestWithoutText(wish, NOTHING_READ);
  const tiers = paidTiers(wish.workflow);
  if (tiers.length > 0) return await writePaid({ ledger, batches }, wish, asking, { groups, tiers, read });
  return { ...(await writeLocally(asking.models.local, wish.workflow, groups)), read };
}

const NOT_ASKED = { code: 'ended_early', message: 'No text was written: the batch was ended before its time.' };
const NOTHING_READ = { code: 'empty_document', message: 'No text was written: no document has an answer.' };

/** The figures alone, and why. */
export function digestWithoutText(
  { workflow, labels, succeeded }: Pick<DigestWish, 'workflow' | 'labels' | 'succeeded'>,
  why: NonNullable<DigestTexts['withoutText']>,
): DigestTexts {
  const groups = Object.entries(labels)
    .map(([label, documents]) => ({ label, documents }))
    .sort((a, b) => b.documents - a.documents);
  return {
    groups: workflow.digest?.by === 'label' ? groups : [],
    withoutText: why,
    read: { documents: 0, of: succeeded },
    spending: NOTHING_SPENT,
  };
}

/** Without thresholds: a text carries no confidence. */
function paidTiers({ cascade }: WorkflowSpec): PaidTiers {
  return cascade.flatMap(({ acceptAt: _, acceptAtByLabel: __, ...tier }, index) =>
    tier.model.name === LOCAL_MODEL_NAME ? [] : [{ index, tier }],
  );
}

async function writeLocally(local: LocalModel, workflow: WorkflowSpec, groups: readonly AnswerGroup[]) {
  const write: WriteText = async (_, text, maxWords) => (await local.extract(text, { maxWords })).text;
  const texts = await writeTexts(workflow, groups, write);
  return { ...texts, kind: 'extract' as const, spending: { ...NOTHING_SPENT, models: [LOCAL_MODEL_NAME] } };
}

async function writePaid(
  { ledger, batches }: Omit<DigestBooks, 'store'>,
  { batchId, workflow, tenant, timezones, traceparent }: DigestWish,
  { models, owners, stopping, forced }: DigestAsking,
  { groups, tiers, read }: { groups: readonly AnswerGroup[]; tiers: PaidTiers; read: DigestTexts['read'] },
): Promise<DigestTexts> {
  const claim = await owners.open({
    id: digestRun(batchId),
    workflow: workflow.name,
    ...(tenant === undefined ? {} : { tenant }),
    timezones,
  });
  // Another worker has ended the batch, and what it had paid for is gone: from here on it finds the run taken.
  const batch = await batches.get(batchId);
  if (batch === undefined || hasManifest(batch.state)) {
    await owners.forget(digestRun(batchId));
    throw new StopError({ kind: 'fenced' });
  }
  models.meter?.sliceTaken?.({ batch: claim.batchId, slice: 0, traceparent, isRun: true });
  const scope = batchScope(claim.batchId);
  const { limit, settled, uncertain } = await ledger.totals(batchScope(batchId));
  if (limit !== undefined) await ledger.setLimit(scope.name, Math.max(0, limit - settled - uncertain));
  const owner = new CallOwner(claim, await ledger.journal(claim.batchId, 0));
  const done = new AbortController();
  const onStop = () => owner.stop({ kind: 'shutdown' });
  const onForce = () => owner.force();
  const once = { once: true, signal: done.signal };
  stopping?.addEventListener('abort', onStop, once);
  forced?.addEventListener('abort', onForce, once);
  if (stopping?.aborted === true) onStop();
  const timer = setTimeout(() => owner.stop({ kind: 'paused' }), LONGEST_MS);
  try {
    const texts = await writeTexts(workflow, groups, writeWithModels(models, owner, workflow, tiers));
    return { ...texts, read, spending: await spendingOf(ledger, owner) };
  } finally {
    clearTimeout(timer);
    done.abort();
  }
}

async function spendingOf(ledger: Ledger, { claim, journal }: CallOwner): Promise<DigestSpending> {
  const lost = await ledger.uncertainCalls(claim.batchId);
  const entries = [...journal.values()];
  const models = [...new Set(entries.map(({ model }) => model))].sort();
  const byModel = [...new Set([...models, ...lost.map(({ model }) => model)])].sort().map((model): ModelSpending => {
    const own = entries.filter((entry) => entry.model === model);
    const uncertainOnes = lost.filter((call) => call.model === model);
    return {
      model,
      calls: own.length,
      usage: own.reduce((sum, { usage }) => addUsage(sum, usage), NO_USAGE),
      cost: own.reduce((sum, { cost }) => sum + cost, 0),
      uncertainCalls: uncertainOnes.length,
      uncertainCost: uncertainOnes.reduce((sum, { cost }) => sum + cost, 0),
    };
  });
  return { byModel, models };
}
