import { type NanoUsd, usdJson } from '../money/money.ts';
import { addUsage, NO_USAGE, type Usage } from '../money/usage.ts';

/** The figures of a batch that two nights are compared by. */
export interface NightFigures {
  readonly batch: string;
  /** ISO 8601. */
  readonly finishedAt: string;
  readonly documents: number;
  readonly failed: number;
  /** With what is uncertain. */
  readonly cost: NanoUsd;
  /** Documents that a tier after the first has answered. */
  readonly escalated: number;
  /** Documents by label; empty where the task has none. */
  readonly labels: Readonly<Record<string, number>>;
}

export interface DigestGroup {
  readonly label: string;
  readonly documents: number;
  readonly summary?: string;
}

/** A document without an answer. */
export interface DigestFailure {
  readonly id: string;
  readonly code: string;
  readonly cost: NanoUsd;
}

export interface ModelSpending {
  readonly model: string;
  readonly calls: number;
  readonly usage: Usage;
  readonly cost: NanoUsd;
  readonly uncertainCalls: number;
  readonly uncertainCost: NanoUsd;
}

/** What its calls have cost: booked in the limits of workflow, tenant and all, and not in the batch's own books. */
export interface DigestSpending {
  readonly byModel: readonly ModelSpending[];
  /** Names of the models that wrote. */
  readonly models: readonly string[];
}

/** The texts of a digest, and what they were made from. */
export interface DigestTexts {
  /** Over all documents. */
  readonly summary?: string;
  /** The sentences are the documents' own: the local model chose them. */
  readonly kind?: 'extract';
  /** Why there is no text, or only a part of it. */
  readonly withoutText?: { readonly code: string; readonly message: string };
  /** By label, the largest first; empty where the digest has no groups. */
  readonly groups: readonly DigestGroup[];
  /** Documents that were read for it, of those that have an answer. */
  readonly read: { readonly documents: number; readonly of: number };
  readonly spending: DigestSpending;
}

/** A night on one page. */
export interface Digest extends DigestTexts {
  readonly workflow: string;
  readonly night: NightFigures;
  /** Answers and replies that were not taken, by code. */
  readonly reasons: Readonly<Record<string, number>>;
  /** The ten that have cost most. */
  readonly failures: readonly DigestFailure[];
  /** The batch of the same workflow before this one. */
  readonly before?: NightFigures;
}

export function digestTotals({ byModel }: DigestSpending): Omit<ModelSpending, 'model' | 'uncertainCalls'> {
  return {
    calls: byModel.reduce((sum, { calls }) => sum + calls, 0),
    usage: byModel.reduce((sum, { usage }) => addUsage(sum, usage), NO_USAGE),
    cost: byModel.reduce((sum, { cost }) => sum + cost, 0),
    uncertainCost: byModel.reduce((sum, { uncertainCost }) => sum + uncertainCost, 0),
  };
}

/** As the manifest and webhooks have it. */
export function digestJson(digest: Digest): object {
  const { summary, kind, withoutText, groups, read, spending, night, reasons, failures, before } = digest;
  const { calls, usage, cost: spent, uncertainCost: lost } = digestTotals(spending);
  return {
    ...(summary === undefined ? {} : { summary }),
    ...(kind === undefined ? {} : { kind }),
    ...(withoutText === undefined ? {} : { withoutText }),
    groups,
    read,
    escalated: { documents: night.escalated, reasons },
    failures: failures.map(({ cost, ...failure }) => ({ ...failure, costUsd: usdJson(cost) })),
    before: before === undefined ? null : figuresJson(before),
    calls,
    models: spending.models,
    byModel: spending.byModel.map(({ cost, uncertainCost, ...model }) => ({
      ...model,
      costUsd: usdJson(cost),
      uncertainUsd: usdJson(uncertainCost),
    })),
    usage,
    costUsd: usdJson(spent),
    costNanoUsd: spent,
    uncertainUsd: usdJson(lost),
  };
}

function figuresJson({ cost, ...figures }: NightFigures): object {
  return { ...figures, costUsd: usdJson(cost) };
}
