import { looksEnglish } from '../local-model/looks-english.ts';
import { findSensitive } from '../redaction/find-sensitive.ts';
import { REDACTION_RULES, type RedactionRule } from '../redaction/redaction-policy.ts';

export type SampleRow = Readonly<Record<string, unknown>>;

/** What the first documents of an input say about how to read it. */
export interface FieldProposal {
  readonly text: string;
  readonly id?: string;
  /** A column with few values that come again and again, and those values, the most frequent first. */
  readonly labels?: { readonly column: string; readonly values: readonly string[] };
  /** Whether most of the texts look English. */
  readonly isEnglish: boolean;
  /** Kinds of personal data that occur, with the number of texts that have them. */
  readonly sensitive: readonly { readonly rule: RedactionRule; readonly texts: number }[];
}

const TEXT_NAME = /^(?:text|content|body|message|description|document|article|ticket)$/i;
const ID_NAME = /^(?:id|key|uuid|guid|number|nr|custom_id)$|[_-](?:id|no|nr|number|key|ref)$|Id$|^ID$|_ID$/;
const LABEL_NAME = /^(?:label|category|class|topic|type|intent|tag|department|queue|target|y)$/i;
const MAX_LABELS = 30;
/** Rows of a label, on average, from which on a column is one of labels whatever its name. */
const ROWS_A_LABEL = 3;
/** Of a named column. */
const ROWS_A_NAMED_LABEL = 1.5;
const MAX_LABEL_CHARS = 60;

/**
 * Which columns of a table hold the text, the id and the labels.
 *
 * @returns undefined where no column holds text
 */
export function proposeFields(rows: readonly SampleRow[]): FieldProposal | undefined {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const text = textColumn(rows, columns);
  if (text === undefined) return undefined;
  const others = columns.filter((column) => column !== text);
  const id = others.find((column) => ID_NAME.test(column) && isUnique(rows, column));
  const labels = labelColumn(
    rows,
    others.filter((column) => column !== id),
  );
  const texts = rows.map((row) => String(row[text] ?? ''));
  const english = texts.filter(looksEnglish).length;
  return {
    text,
    ...(id === undefined ? {} : { id }),
    ...(labels === undefined ? {} : { labels }),
    isEnglish: english * 2 > texts.length,
    sensitive: sensitiveKinds(texts),
  };
}

/** The column that is called so, else the one with the longest texts. */
function textColumn(rows: readonly SampleRow[], columns: readonly string[]): string | undefined {
  const lengthOf = (column: string) =>
    rows.reduce((sum, row) => sum + (typeof row[column] === 'string' ? (row[column] as string).length : 0), 0);
  const byLength = columns
    .map((column) => ({ column, length: lengthOf(column) }))
    .filter(({ length }) => length > 0)
    .sort((a, b) => b.length - a.length);
  return (byLength.find(({ column }) => TEXT_NAME.test(column)) ?? byLength[0])?.column;
}

function isUnique(rows: readonly SampleRow[], column: string): boolean {
  const values = rows
    .map((row) => row[column])
    .filter((value) => typeof value === 'string' || typeof value === 'number');
  return values.length === rows.length && new Set(values).size === values.length;
}

function labelColumn(rows: readonly SampleRow[], columns: readonly string[]): FieldProposal['labels'] {
  const candidates = columns.flatMap((column) => {
    const counts = countsOf(rows, column);
    const isNamed = LABEL_NAME.test(column);
    const rowsALabel = counts === undefined ? 0 : rows.length / counts.length;
    if (counts === undefined || rowsALabel < (isNamed ? ROWS_A_NAMED_LABEL : ROWS_A_LABEL)) return [];
    return [{ column, values: counts.map(([value]) => value), isNamed }];
  });
  const [best] = candidates.sort((a, b) => Number(b.isNamed) - Number(a.isNamed));
  return best === undefined ? undefined : { column: best.column, values: best.values };
}

/** Short texts of a column with their counts, the most frequent first; undefined where they are no labels. */
function countsOf(rows: readonly SampleRow[], column: string): readonly (readonly [string, number])[] | undefined {
  const counts = new Map<string, number>();
  for (const row of rows) {
    const value = row[column];
    if (value === undefined || value === null || value === '') continue;
    if (typeof value !== 'string' || value.trim().length === 0 || value.length > MAX_LABEL_CHARS) return undefined;
    if (!Number.isNaN(Number(value)) || !Number.isNaN(Date.parse(value))) return undefined;
    counts.set(value.trim(), (counts.get(value.trim()) ?? 0) + 1);
  }
  if (counts.size < 2 || counts.size > MAX_LABELS) return undefined;
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}

function sensitiveKinds(texts: readonly string[]): FieldProposal['sensitive'] {
  const counts = new Map<string, number>();
  for (const text of texts) {
    const rules = new Set(findSensitive(text, { rules: REDACTION_RULES, patterns: [] }).map(({ rule }) => rule));
    for (const rule of rules) counts.set(rule, (counts.get(rule) ?? 0) + 1);
  }
  return REDACTION_RULES.flatMap((rule) => {
    const found = counts.get(rule);
    return found === undefined ? [] : [{ rule, texts: found }];
  });
}
