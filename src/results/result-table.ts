import { usdToNano } from '../money/money.ts';
import { parseJsonExactly } from '../text/json-value.ts';

/** `usd`: a cell in nano-dollars. `text` is the only kind that others may have written. */
export interface TableColumn {
  readonly name: string;
  readonly kind: 'text' | 'integer' | 'double' | 'usd' | 'boolean';
}

/** Undefined: the row has no such value. */
export type Cell = string | number | boolean | undefined;

const text = (name: string): TableColumn => ({ name, kind: 'text' });
const integer = (name: string): TableColumn => ({ name, kind: 'integer' });

const USAGE = ['inputTokens', 'cachedInputTokens', 'outputTokens', 'reasoningTokens'] as const;
const SPENT: readonly TableColumn[] = [integer('calls'), ...USAGE.map(integer), { name: 'costUsd', kind: 'usd' }];

/** A table of `results.jsonl`. `sources`, `partial`, `metadata` and `warnings` are JSON. */
export const RESULT_COLUMNS: readonly TableColumn[] = [
  text('id'),
  text('status'),
  text('label'),
  { name: 'confidence', kind: 'double' },
  text('summary'),
  text('model'),
  integer('tier'),
  ...SPENT,
  integer('durationMs'),
  text('kind'),
  text('prompt'),
  { name: 'degraded', kind: 'boolean' },
  { name: 'fallback', kind: 'boolean' },
  text('partial'),
  text('sources'),
  text('metadata'),
  text('warnings'),
];

/** A table of `errors.jsonl`. */
export const ERROR_COLUMNS: readonly TableColumn[] = [
  text('id'),
  text('status'),
  text('errorCode'),
  text('errorMessage'),
  ...SPENT,
];

interface RowLine {
  readonly id: string;
  readonly status: string;
  readonly result?: {
    readonly label?: string;
    readonly confidence?: number;
    readonly summary?: string;
    readonly kind?: string;
    readonly partial?: unknown;
    readonly sources?: unknown;
  };
  readonly error?: { readonly code: string; readonly message: string };
  readonly model?: string;
  readonly tier?: number;
  readonly calls: number;
  readonly usage: Readonly<Record<(typeof USAGE)[number], number>>;
  readonly costUsd: number;
  readonly durationMs?: number;
  readonly prompt?: string;
  readonly degraded?: boolean;
  readonly fallback?: boolean;
  readonly metadata?: unknown;
  readonly warnings?: unknown;
}

/** The cells of a line of `results.jsonl`, in the order of {@link RESULT_COLUMNS}. */
export function resultCells(line: string): readonly Cell[] {
  const row = JSON.parse(line) as RowLine;
  // Its numbers stay as they were written.
  const { metadata } = parseJsonExactly(line) as RowLine;
  const { id, status, result = {}, model, tier, durationMs, prompt, degraded = false, fallback = false } = row;
  const { label, confidence, summary, kind } = result;
  const answer = [label, confidence, summary, model, tier];
  const how = [durationMs, kind, prompt, degraded, fallback];
  return [
    id,
    status,
    ...answer,
    ...spentCells(row),
    ...how,
    ...[result.partial, result.sources, metadata, row.warnings].map(jsonCell),
  ];
}

/** The cells of a line of `errors.jsonl`, in the order of {@link ERROR_COLUMNS}. */
export function errorCells(line: string): readonly Cell[] {
  const row = JSON.parse(line) as RowLine;
  return [row.id, row.status, row.error?.code, row.error?.message, ...spentCells(row)];
}

function spentCells({ calls, usage, costUsd }: RowLine): readonly Cell[] {
  return [calls, ...USAGE.map((name) => usage[name]), usdToNano(costUsd)];
}

function jsonCell(value: unknown): Cell {
  return value === undefined ? undefined : JSON.stringify(value);
}
