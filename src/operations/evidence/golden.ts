import { createHash } from 'node:crypto';
import type { App } from '../../app.ts';
import { readSlice } from '../../batches/read-slice.ts';
import { NightmillError } from '../../errors.ts';
import type { Golden } from '../../evaluation/evaluation.ts';
import type { WorkflowSpec } from '../../workflows/workflow.ts';
import { requireBatch } from '../read-status.ts';
import { readRows } from '../results.ts';
import { type AnswerToJudge, answerCell, type Correction, goldenOf } from './corrections.ts';

export type GoldenApp = Pick<App, 'store' | 'batches' | 'submit'>;

/** A row for a person to look at. */
export interface RowToCorrect {
  readonly id: string;
  /** Its label, summary or fields; absent: it failed. */
  readonly answer?: string;
  readonly confidence?: number;
  readonly text: string;
}

/** One line of a golden set, with the document's text. */
export type GoldenLine = Golden & { readonly text: string };

interface AnsweredRow {
  readonly id: string;
  readonly result?: AnswerToJudge & { readonly confidence?: number };
}

/**
 * Rows of an ended batch for a person to correct: those named, or a random sample of the answered ones (the same for the same batch).
 *
 * @throws {NightmillError} `batch_unknown`, `batch_state`, `document_unknown`
 */
export async function rowsToCorrect(
  app: App,
  batchId: string,
  which: { readonly ids: readonly string[] } | { readonly sample: number },
): Promise<readonly RowToCorrect[]> {
  const rows = 'ids' in which ? await rowsById(app, batchId, which.ids) : await sampleRows(app, batchId, which.sample);
  const texts = await textsOf(app, batchId, new Set(rows.keys()));
  return [...rows.values()].flatMap(({ id, result }) => {
    const text = texts.get(id);
    if (text === undefined) return [];
    const answer = answerCell(result ?? {});
    return [
      {
        id,
        ...(answer === undefined ? {} : { answer }),
        ...(result?.confidence === undefined ? {} : { confidence: result.confidence }),
        text,
      },
    ];
  });
}

/**
 * Lines of a golden set from rows that a person has looked at.
 *
 * @throws {NightmillError} `batch_unknown`, `batch_state`, `document_unknown`; `input_invalid` naming the row that cannot be used
 */
export async function goldenLines(
  app: App,
  batchId: string,
  corrections: readonly Correction[],
): Promise<readonly GoldenLine[]> {
  const ids = corrections.map(({ id }) => id);
  const rows = await rowsById(app, batchId, ids);
  const { workflow } = await submissionOf(app, batchId);
  const texts = await textsOf(app, batchId, new Set(ids));
  return corrections.map((correction) => {
    const golden = goldenOf(workflow, correction, rows.get(correction.id)?.result);
    const text = texts.get(correction.id);
    const problem = typeof golden === 'string' ? golden : text === undefined ? 'could not be read as a document' : '';
    if (typeof golden === 'string' || text === undefined) {
      throw new NightmillError(
        'input_invalid',
        `Cannot use the correction of ${batchId}: ${JSON.stringify(correction.id)} ${problem}.`,
      );
    }
    const { id, ...wanted } = golden;
    return { id, text, ...wanted };
  });
}

async function submissionOf(app: App, batchId: string): Promise<{ readonly workflow: WorkflowSpec }> {
  return await app.slices.submission(batchId);
}

async function* allRows(app: App, batchId: string): AsyncGenerator<AnsweredRow, void, undefined> {
  for (const kind of ['results', 'errors'] as const) {
    for await (const row of readRows(app, batchId, kind)) yield row as AnsweredRow;
  }
}

async function rowsById(app: App, batchId: string, ids: readonly string[]): Promise<ReadonlyMap<string, AnsweredRow>> {
  await requireBatch(app, batchId);
  const wanted = new Set(ids);
  const found = new Map<string, AnsweredRow>();
  for await (const row of allRows(app, batchId)) if (wanted.has(row.id)) found.set(row.id, row);
  const missing = ids.find((id) => !found.has(id));
  if (missing !== undefined) {
    throw new NightmillError(
      'document_unknown',
      `Batch ${batchId} has no row of ${JSON.stringify(missing.slice(0, 200))}: nightmill results ${batchId} -o FOLDER has them all.`,
    );
  }
  return found;
}

/** Those whose hash is least, so that a larger sample has the smaller one in it. */
async function sampleRows(app: App, batchId: string, sample: number): Promise<ReadonlyMap<string, AnsweredRow>> {
  let kept: { readonly rank: string; readonly row: AnsweredRow }[] = [];
  const cut = () => {
    kept = kept.sort((a, b) => (a.rank < b.rank ? -1 : 1)).slice(0, sample);
  };
  for await (const row of readRows(app, batchId, 'results')) {
    const { id, result } = row as AnsweredRow;
    kept.push({
      rank: createHash('sha256')
        .update(JSON.stringify(['golden', batchId, id]))
        .digest('hex'),
      row: { id, ...(result === undefined ? {} : { result }) },
    });
    if (kept.length > 2 * sample + 1000) cut();
  }
  cut();
  return new Map(kept.map(({ row }) => [row.id, row]));
}

async function textsOf(app: App, batchId: string, ids: ReadonlySet<string>): Promise<ReadonlyMap<string, string>> {
  const { slices } = await requireBatch(app, batchId);
  const texts = new Map<string, string>();
  for (let slice = 0; slice < slices && texts.size < ids.size; slice++) {
    for (const entry of await readSlice(app.store, batchId, slice)) {
      if (entry.kind === 'document' && ids.has(entry.document.id)) texts.set(entry.document.id, entry.document.text);
    }
  }
  return texts;
}
