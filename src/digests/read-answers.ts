import { readSlice } from '../batches/read-slice.ts';
import { type NanoUsd, usdToNano } from '../money/money.ts';
import { type ResultFile, unpackFiles } from '../results/result-files.ts';
import type { ObjectStore } from '../store/object-store.ts';
import type { TaskResult } from '../tasks/result-row.ts';
import { taskOf } from '../tasks/tasks.ts';
import { splitLines } from '../text/split-lines.ts';
import type { WorkflowSpec } from '../workflows/workflow.ts';
import type { DigestFailure } from './digest.ts';

/** A night that is larger is read at even distances: a digest costs much less than its night. */
const MAX_READ = 2_000;
/** What one document may say in a digest. */
const MAX_WORDS = 60;
const FAILURES = 10;

export interface DigestBatch {
  readonly batchId: string;
  readonly slices: number;
  readonly workflow: WorkflowSpec;
  readonly results: readonly ResultFile[];
  readonly errors: readonly ResultFile[];
  /** Documents with an answer. */
  readonly succeeded: number;
  /** By label; empty where the task has none. */
  readonly labels: Readonly<Record<string, number>>;
}

/** What some documents with the same label say. */
export interface AnswerGroup {
  /** Empty: of all. */
  readonly label: string;
  readonly documents: number;
  /** In input order, one for each document that was read. */
  readonly texts: readonly string[];
}

/** The answers of a batch, by label where its digest is; the largest group first. */
export async function readAnswers(store: ObjectStore, batch: DigestBatch): Promise<readonly AnswerGroup[]> {
  const chosen = await chooseAnswers(store, batch);
  const silent = new Set([...chosen.values()].flat().flatMap(({ id, text }) => (text === undefined ? [id] : [])));
  const texts = silent.size === 0 ? new Map<string, string>() : await readBeginnings(store, batch, silent);
  return [...chosen]
    .map(([label, answers]) => ({
      label,
      documents: label === '' ? batch.succeeded : (batch.labels[label] ?? answers.length),
      texts: answers.map(({ id, text }) => text ?? texts.get(id) ?? '').filter((text) => text !== ''),
    }))
    .sort((a, b) => b.documents - a.documents || (a.label < b.label ? -1 : 1));
}

interface Answer {
  readonly id: string;
  readonly text: string | undefined;
}

async function chooseAnswers(store: ObjectStore, batch: DigestBatch): Promise<ReadonlyMap<string, readonly Answer[]>> {
  const { workflow, labels, succeeded } = batch;
  const isGrouped = workflow.digest?.by === 'label';
  const most = isGrouped ? Math.ceil(MAX_READ / Math.max(1, Object.keys(labels).length)) : MAX_READ;
  const groups = new Map<string, { seen: number; answers: Answer[] }>();
  for await (const row of readRows(store, batch.results)) {
    const { id, result } = row as { readonly id: string; readonly result: TaskResult };
    const part = taskOf(workflow).digestPart(result);
    const label = isGrouped ? (part.label ?? '') : '';
    const group = groups.get(label) ?? { seen: 0, answers: [] };
    groups.set(label, group);
    const step = Math.max(1, Math.ceil((label === '' ? succeeded : (labels[label] ?? 0)) / most));
    if (group.seen++ % step === 0) group.answers.push({ id, text: part.text && firstWords(part.text) });
  }
  return new Map([...groups].map(([label, { answers }]) => [label, answers]));
}

/** How some documents begin, by id. */
async function readBeginnings(
  store: ObjectStore,
  { batchId, slices }: DigestBatch,
  ids: ReadonlySet<string>,
): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  for (let slice = 0; slice < slices; slice += 1) {
    for (const entry of await readSlice(store, batchId, slice)) {
      if (entry.kind === 'document' && ids.has(entry.document.id)) {
        texts.set(entry.document.id, firstWords(entry.document.text));
      }
    }
  }
  return texts;
}

/** The documents without an answer that have cost most, the dearest first. */
export async function readFailures(
  store: ObjectStore,
  errors: readonly ResultFile[],
): Promise<readonly DigestFailure[]> {
  let worst: { readonly id: string; readonly code: string; readonly cost: NanoUsd }[] = [];
  for await (const row of readRows(store, errors)) {
    const { id, error, costUsd } = row as {
      readonly id: string;
      readonly error: { readonly code: string };
      readonly costUsd: number;
    };
    worst = [...worst, { id, code: error.code, cost: usdToNano(costUsd) }]
      .sort((a, b) => b.cost - a.cost)
      .slice(0, FAILURES);
  }
  return worst;
}

async function* readRows(store: ObjectStore, files: readonly ResultFile[]): AsyncGenerator<unknown> {
  for await (const lines of splitLines(unpackFiles(store, files), Number.POSITIVE_INFINITY)) {
    for (const line of lines) if ('bytes' in line) yield JSON.parse(Buffer.from(line.bytes).toString());
  }
}

function firstWords(text: string): string {
  const words: string[] = [];
  for (const [word] of text.matchAll(/\S+/g)) {
    if (words.length === MAX_WORDS) return `${words.join(' ')} …`;
    // A run without spaces is no word; what it says is not lost for long.
    words.push(word.slice(0, 200).toWellFormed());
  }
  return words.join(' ');
}
