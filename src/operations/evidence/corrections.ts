import { CsvRecords, detectCsvDelimiter, parseCsvRecord } from '../../documents/parse-csv.ts';
import type { Golden } from '../../evaluation/evaluation.ts';
import { quoteValue } from '../../text/quote-value.ts';
import type { WorkflowSpec } from '../../workflows/workflow.ts';

/** What a person says of one row: what is right; absent: its answer is. */
export interface Correction {
  readonly id: string;
  readonly wanted?: string;
}

export type CorrectionReading =
  | { readonly kind: 'read'; readonly corrections: readonly Correction[] }
  | { readonly kind: 'bad'; readonly line: number; readonly problem: string };

/** Written into the table where the answer is right. */
export const CONFIRMED = 'ok';

const LONGEST_RECORD_BYTES = 16 * 1024 * 1024;

/** Reads the table of `golden export` as a person has filled it in: columns `id` and `correct`; rows without `correct` are left out. */
export function readCorrections(bytes: Uint8Array): CorrectionReading {
  const text = Buffer.from(bytes)
    .toString('utf8')
    .replace(/^\uFEFF/, '');
  if (text.includes('\uFFFD')) return { kind: 'bad', line: 1, problem: 'is not UTF-8: save the table as CSV UTF-8' };
  const delimiter = detectCsvDelimiter(text.split('\n', 1)[0] ?? '');
  const records = new CsvRecords(delimiter, LONGEST_RECORD_BYTES);
  const corrections: Correction[] = [];
  let columns: { readonly id: number; readonly correct: number } | undefined;
  for (const record of [...records.push(Buffer.from(text)).map(copy), ...records.end().map(copy)]) {
    const bad = (problem: string): CorrectionReading => ({ kind: 'bad', line: record.line, problem });
    if (record.text === undefined) return bad('is too long');
    if (record.text.trim() === '') continue;
    const parsed = parseCsvRecord(record.text, delimiter);
    if ('fault' in parsed) return bad(`cannot be read: ${parsed.fault}`);
    const { fields } = parsed;
    if (columns === undefined) {
      columns = { id: fields.indexOf('id'), correct: fields.indexOf('correct') };
      if (columns.id < 0 || columns.correct < 0) return bad('has no columns "id" and "correct"');
      continue;
    }
    const id = withoutGuard(fields[columns.id] ?? '');
    const wanted = withoutGuard(fields[columns.correct] ?? '').trim();
    if (wanted === '') continue;
    if (id === '') return bad('has no id');
    corrections.push({ id, wanted });
  }
  return { kind: 'read', corrections };
}

function copy(record: { readonly line: number; readonly bytes?: Uint8Array }) {
  return {
    line: record.line,
    text: record.bytes === undefined ? undefined : Buffer.from(record.bytes).toString('utf8'),
  };
}

/** The apostrophe that keeps a spreadsheet from taking a text for a formula. */
function withoutGuard(cell: string): string {
  return /^'[=+\-@\t\r]/.test(cell) ? cell.slice(1) : cell;
}

export interface AnswerToJudge {
  readonly label?: string;
  readonly summary?: string;
  readonly fields?: unknown;
}

/** As it stands in the table; undefined: there is none, or a task whose answers have no golden set. */
export function answerCell({ label, summary, fields }: AnswerToJudge): string | undefined {
  return label ?? summary ?? (fields === undefined ? undefined : JSON.stringify(fields));
}

/**
 * What a golden set has for one corrected row.
 *
 * @returns a string: why it cannot be used
 */
export function goldenOf(
  workflow: WorkflowSpec,
  { id, wanted }: Correction,
  answer: AnswerToJudge | undefined,
): Golden | string {
  const labels = 'labels' in workflow ? workflow.labels.map(({ label }) => label) : undefined;
  const isConfirmed = wanted === undefined || (wanted === CONFIRMED && labels?.includes(CONFIRMED) !== true);
  const cell = isConfirmed ? answerCell(answer ?? {}) : wanted;
  if (cell === undefined) return 'has no answer that could be right: say what is';
  if (labels !== undefined) {
    if (labels.includes(cell)) return { id, label: cell };
    return `says ${quoteValue(cell)}, which is no label of ${workflow.name}: ${labels.join(', ')}`;
  }
  if ('summary' in workflow) return { id, summary: cell };
  if ('extract' in workflow) return extracted(id, cell);
  return `is of the task ${workflow.task}, which has no golden sets`;
}

function extracted(id: string, cell: string): Golden | string {
  try {
    return { id, fields: JSON.parse(cell) };
  } catch {
    return 'has fields that are no JSON';
  }
}

/** Puts lines into a golden set; one with an id that is there already takes its place. */
export function mergeGolden(
  before: string,
  added: readonly { readonly id: string }[],
): { readonly text: string; readonly added: number; readonly replaced: number } {
  const lines = new Map<string, string>();
  for (const line of before.split('\n')) if (line.trim() !== '') lines.set(idOf(line), line);
  const known = lines.size;
  for (const entry of added) lines.set(entry.id, JSON.stringify(entry));
  const isNew = lines.size - known;
  return {
    text: [...lines.values()].map((line) => `${line}\n`).join(''),
    added: isNew,
    replaced: added.length - isNew,
  };
}

function idOf(line: string): string {
  return String(JSON.parse(line).id);
}
