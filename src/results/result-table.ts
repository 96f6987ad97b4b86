import { usdToNano } from '../money/money.ts';
import type { AnswerColumn, OwnColumn, TaskColumns } from '../tasks/task.ts';
import { TASK_NAMES, TASKS, taskOf } from '../tasks/tasks.ts';
import { parseJsonExactly } from '../text/json-value.ts';
import type { WorkflowSpec } from '../workflows/workflow.ts';

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

/** Columns of every batch: before the answer, between it and its details, and after them. */
const BEFORE: readonly TableColumn[] = [text('id'), text('status')];
const BETWEEN: readonly TableColumn[] = [text('model'), integer('tier'), ...SPENT, integer('durationMs')];
const CALLS: readonly TableColumn[] = [
  text('prompt'),
  { name: 'degraded', kind: 'boolean' },
  { name: 'fallback', kind: 'boolean' },
];
const AFTER: readonly TableColumn[] = [text('metadata'), text('warnings')];

/** A table of `results.jsonl`: its columns, and a line's cells in their order. */
export interface ResultTable {
  readonly columns: readonly TableColumn[];
  cells(line: string): readonly Cell[];
}

/**
 * The table of a batch's results. `sources`, `partial`, `metadata` and `warnings` are JSON.
 *
 * @param workflow whose fields get a column each; one that has the name of another column is called `fields.NAME`
 */
export function resultTable(workflow?: WorkflowSpec): ResultTable {
  const fields = workflow === undefined ? [] : (taskOf(workflow).fieldColumns?.(workflow) ?? []);
  const common = [
    ...[...BEFORE, ...ANSWER.answer.map(tableColumn)],
    ...[...BETWEEN, ...ANSWER.origin.map(tableColumn), ...CALLS, ...ANSWER.details.map(tableColumn), ...AFTER],
  ];
  const taken = new Set(common.map(({ name }) => name));
  const own = fields.map((field) => {
    const column = tableColumn(field);
    return taken.has(column.name) ? { ...column, name: `fields.${column.name}` } : column;
  });
  return {
    columns: [...BEFORE, ...own, ...common.slice(BEFORE.length)],
    cells: (line) => resultCells(line, fields),
  };
}

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

function resultCells(line: string, fields: readonly OwnColumn[]): readonly Cell[] {
  const row = JSON.parse(line) as RowLine;
  // Its numbers stay as they were written. Most rows have none, and the exact parser takes ten times as long.
  const { metadata } = row.metadata === undefined ? row : (parseJsonExactly(line) as RowLine);
  const { id, status, result = {}, model, tier, durationMs, prompt, degraded = false, fallback = false } = row;
  const cells = (columns: readonly AnswerColumn[]) => columns.map((column) => answerCell(column, result));
  return [
    id,
    status,
    ...fields.map((column) => cellOf(column.kind, column.value(result))),
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
  return cellOf(kind, result[name]);
}

function cellOf(kind: AnswerColumn['kind'], value: unknown): Cell {
  const known = value ?? undefined;
  return kind === 'json' ? jsonCell(known) : (known as Cell);
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
