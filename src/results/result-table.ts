import { usdToNano } from '../money/money.ts';
import type { AnswerColumn, TaskColumns } from '../tasks/task.ts';
import { TASK_NAMES, TASKS } from '../tasks/tasks.ts';
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

/** The columns of all tasks, each once, so that every batch has the same table. */
const ANSWER = {
  answer: columnsOf('answer'),
  origin: columnsOf('origin'),
  details: columnsOf('details'),
};

function columnsOf(place: keyof TaskColumns): readonly AnswerColumn[] {
  const columns = TASK_NAMES.flatMap((name) => (TASKS[name].columns as TaskColumns)[place] ?? []);
  return [...new Map(columns.map((column) => [column.name, column])).values()];
}

/** A table of `results.jsonl`. `sources`, `partial`, `metadata` and `warnings` are JSON. */
export const RESULT_COLUMNS: readonly TableColumn[] = [
  text('id'),
  text('status'),
  ...ANSWER.answer.map(tableColumn),
  text('model'),
  integer('tier'),
  ...SPENT,
  integer('durationMs'),
  ...ANSWER.origin.map(tableColumn),
  text('prompt'),
  { name: 'degraded', kind: 'boolean' },
  { name: 'fallback', kind: 'boolean' },
  ...ANSWER.details.map(tableColumn),
  text('metadata'),
  text('warnings'),
];

function tableColumn({ name, kind }: AnswerColumn): TableColumn {
  return { name, kind: kind === 'json' ? 'text' : kind };
}

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
  readonly result?: Readonly<Record<string, unknown>>;
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
  const cells = (columns: readonly AnswerColumn[]) => columns.map((column) => answerCell(column, result));
  return [
    id,
    status,
    ...cells(ANSWER.answer),
    model,
    tier,
    ...spentCells(row),
    durationMs,
    ...cells(ANSWER.origin),
    prompt,
    degraded,
    fallback,
    ...cells(ANSWER.details),
    jsonCell(metadata),
    jsonCell(row.warnings),
  ];
}

function answerCell({ name, kind }: AnswerColumn, result: Readonly<Record<string, unknown>>): Cell {
  return kind === 'json' ? jsonCell(result[name]) : (result[name] as Cell);
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
