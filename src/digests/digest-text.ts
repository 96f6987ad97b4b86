import { formatUsd } from '../money/money.ts';
import { type Digest, digestTotals, type NightFigures } from './digest.ts';

/** What both pages of a digest say besides its texts. */
export interface DigestLines {
  readonly title: string;
  readonly subtitle: string;
  /** Value and name. */
  readonly figures: readonly (readonly [string, string])[];
  /** Label, documents, share, the night before. */
  readonly labels: readonly (readonly [string, string, string, string])[];
  /** Figure, now, before. */
  readonly changes: readonly (readonly [string, string, string])[];
  readonly reasons: readonly (readonly [string, string])[];
  /** Id, code, dollars. */
  readonly failures: readonly (readonly [string, string, string])[];
  /** What the texts were made from, and what they cost. */
  readonly origin: string;
}

export function digestLines(digest: Digest): DigestLines {
  const { workflow, night, before, reasons, failures, spending, read, kind } = digest;
  const { documents, failed, cost, escalated, labels } = night;
  const spent = digestTotals(spending);
  const wrote = spending.models.length === 0 ? '' : ` by ${spending.models.join(', ')}`;
  const made = kind === 'extract' ? "is made of the documents' own sentences, chosen" : 'was written';
  return {
    title: `${workflow}: ${documents.toLocaleString('en')} documents`,
    subtitle: `batch ${night.batch}, ended ${night.finishedAt.slice(0, 16).replace('T', ' ')} UTC`,
    figures: [
      [count(documents - failed), 'with an answer'],
      [count(failed), 'without'],
      [formatUsd(cost), 'for the batch'],
      [count(escalated), 'answered by a later tier'],
    ],
    labels: Object.entries(labels)
      .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
      .map(([label, found]) => [
        label,
        count(found),
        percent(found, documents),
        before === undefined ? '' : percent(before.labels[label] ?? 0, before.documents),
      ]),
    changes: before === undefined ? [] : changesOf(night, before),
    reasons: Object.entries(reasons)
      .sort(([, a], [, b]) => b - a)
      .map(([code, times]) => [code, count(times)]),
    failures: failures.map(({ id, code, cost: spent }) => [id, code, formatUsd(spent)]),
    origin:
      read.documents === 0
        ? ''
        : `The text ${made}${wrote} from ${read.documents === read.of ? 'all' : `${count(read.documents)} of`} ${count(read.of)} answers; ` +
          `${formatUsd(spent.cost + spent.uncertainCost)} in ${count(spent.calls)} calls, besides the batch's own.`,
  };
}

function changesOf(now: NightFigures, before: NightFigures): DigestLines['changes'] {
  const each = ({ documents, cost }: NightFigures) =>
    documents === 0 ? 'none' : formatUsd(Math.round(cost / documents));
  return [
    ['documents', count(now.documents), count(before.documents)],
    ['without an answer', percent(now.failed, now.documents), percent(before.failed, before.documents)],
    ['answered by a later tier', percent(now.escalated, now.documents), percent(before.escalated, before.documents)],
    ['dollars', formatUsd(now.cost), formatUsd(before.cost)],
    ['dollars a document', each(now), each(before)],
  ];
}

function count(value: number): string {
  return value.toLocaleString('en');
}

function percent(part: number, whole: number): string {
  return whole === 0 ? 'none' : `${((part / whole) * 100).toFixed(1)} %`;
}
