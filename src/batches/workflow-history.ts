import type { BreakerEvent } from '../ledger/breaker-event.ts';
import type { NanoUsd } from '../money/money.ts';
import { DAY_MS } from '../runtime/durations.ts';
import type { CostFigures } from './cost-figures.ts';

/** What one finished batch took. */
export interface BatchSample {
  readonly batchId: string;
  /** Of the workflow as the batch was submitted with it. */
  readonly configHash: string;
  /** Documents that were worked on: skipped ones cost nothing. */
  readonly documents: number;
  readonly cost: NanoUsd;
  /** Of the documents alone, as `plan` counts them. */
  readonly inputTokens: number;
  /** From submission to the end, pauses left out. */
  readonly seconds: number;
  /** Milliseconds since the epoch. Absent: it says nothing about how often the workflow runs. */
  readonly finishedAt?: number;
  /** Absent: not known. */
  readonly figures?: CostFigures;
}

/**
 * Sums over a workflow's finished batches in which each batch counts for less than the next one (`HISTORY_DECAY`), so
 * that their ratios follow a workflow that changes.
 */
export interface WorkflowHistory {
  /** Of the latest batch; sums of another version of the workflow are not mixed in. */
  readonly configHash: string;
  /** Batches behind the sums, not weighted. */
  readonly batches: number;
  readonly documents: number;
  readonly cost: NanoUsd;
  readonly inputTokens: number;
  readonly seconds: number;
  /** When the first of the batches was finished, in milliseconds since the epoch. Absent in histories of earlier versions. */
  readonly firstAt?: number;
  /** Absent in histories of earlier versions. */
  readonly figures?: CostFigures;
}

/** Weight of everything before when a batch is added: the last three batches make up about half of the sums. */
export const HISTORY_DECAY = 0.8;

/** What one batch of a workflow usually is; the sums hold more than one. */
export interface UsualBatch {
  readonly documents: number;
  readonly inputTokens: number;
  readonly cost: number;
  /** Batches a day since the first one; absent where that is not known. */
  readonly perDay?: number;
}

/** @param now milliseconds since the epoch */
export function usualBatch(history: WorkflowHistory, now: number): UsualBatch | undefined {
  const { batches, documents, inputTokens, cost, firstAt } = history;
  if (batches <= 0 || documents <= 0) return undefined;
  // The weights of the sums: 1 for the latest batch, less for each before.
  const weight = (1 - HISTORY_DECAY ** batches) / (1 - HISTORY_DECAY);
  return {
    documents: documents / weight,
    inputTokens: inputTokens / weight,
    cost: cost / weight,
    ...(firstAt === undefined ? {} : { perDay: batches / Math.max(1, (now - firstAt) / DAY_MS) }),
  };
}

/** Nano-dollars that a document usually costs, with decimals; undefined where nothing is known. */
export function costPerDocument(history: WorkflowHistory | undefined): number | undefined {
  return history === undefined || history.documents <= 0 ? undefined : history.cost / history.documents;
}

/**
 * What documents of so many tokens would cost and take by history, or undefined where it says nothing.
 *
 * @param inputTokens of the documents alone
 */
export function projectFromHistory(
  history: WorkflowHistory,
  inputTokens: number,
): { readonly cost: NanoUsd; readonly minutes: number } | undefined {
  if (history.inputTokens <= 0) return undefined;
  const share = inputTokens / history.inputTokens;
  return { cost: Math.round(history.cost * share), minutes: (history.seconds * share) / 60 };
}

/** How long breakers held a batch up, by their history, in milliseconds. Both moments are milliseconds since the epoch. */
export function pausedMs(events: readonly BreakerEvent[], from: number, to: number): number {
  let total = 0;
  let since: number | undefined;
  for (const { at, event } of [...events].sort((a, b) => Date.parse(a.at) - Date.parse(b.at))) {
    const moment = Math.min(Math.max(Date.parse(at), from), to);
    if (event === 'opened' || event === 'paused') since ??= moment;
    else if (since !== undefined) {
      total += moment - since;
      since = undefined;
    }
  }
  return since === undefined ? total : total + (to - since);
}
