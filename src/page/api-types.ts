import type { StatusView } from '../operations/status-json.ts';
import type { Verdict } from '../workflows/requirements.ts';

/** What the API answers, as far as the page reads it. Dollars are numbers. */
export type Batch = StatusView<number>;
export type BatchState = Batch['state'];
export type PauseCause = NonNullable<Batch['breaker']['causes']>[number];

export interface BatchPage {
  readonly batches: readonly Batch[];
  /** The `after` of the next page; null: this was the last one. */
  readonly next: string | null;
}

export interface Budget {
  readonly scope: string;
  readonly period: string | null;
  readonly spentUsd: number;
  readonly uncertainUsd: number;
  readonly heldUsd: number;
  readonly limitUsd: number | null;
}

export interface Workflow {
  readonly name: string;
  readonly task: string;
  readonly models: readonly string[];
  readonly pauses: readonly { readonly cause: string; readonly reason: string; readonly since: string }[];
}

export interface Plan {
  readonly documents: number;
  readonly problems: number;
  readonly inputTokens: number;
  /** Null: a model has no known price. */
  readonly costUsd: { readonly low: number; readonly expected: number; readonly worst: number } | null;
  /** What is assumed of the models, and each requirement that is not met. */
  readonly warnings: readonly string[];
  /** Null: the workflow has none. */
  readonly requirements: readonly Verdict[] | null;
}

export interface ErrorRow {
  readonly id: string;
  readonly status: string;
  readonly error: { readonly code: string; readonly message: string };
  readonly calls: number;
  readonly costUsd: number;
}

export interface Pool {
  readonly name: string;
  readonly limits: Readonly<Record<string, number>>;
  readonly models: readonly string[];
}

export interface AuditEntry {
  readonly id: string;
  readonly at: string;
  readonly who: string;
  readonly action: string;
  readonly target: string;
  readonly before?: string;
  readonly after?: string;
}

export interface KeyEntry {
  readonly name: string;
  readonly tenant: string | null;
  readonly plan: string | null;
  readonly rights: readonly string[];
  readonly state: 'good' | 'expired' | 'revoked';
  readonly createdAt: string;
  readonly expiresAt: string | null;
}

export const STATES: readonly BatchState[] = [
  'ingesting',
  'queued',
  'running',
  'paused',
  'finalizing',
  'completed',
  'cancelled',
  'expired',
  'failed',
];

export function hasEnded({ state }: Pick<Batch, 'state'>): boolean {
  return state === 'completed' || state === 'cancelled' || state === 'expired' || state === 'failed';
}
