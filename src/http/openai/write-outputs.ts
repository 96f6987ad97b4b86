import { createHash } from 'node:crypto';
import type { App } from '../../app.ts';
import type { BatchPart, CompatBatch, FileRecord } from '../../compat/openai-records.ts';
import { NO_USAGE } from '../../money/usage.ts';
import { type RowKind, readRows } from '../../operations/results.ts';
import { findFile, storeContent, untilAborted } from './file-content.ts';
import type { LineRules } from './input-lines.ts';
import { outputLine, type StoredRow } from './output-lines.ts';
import { partSource } from './part-source.ts';

const CHUNK_UNITS = 64 * 1024;

/**
 * Writes the output file or the error file of a batch whose parts have ended. Its id is made from the batch's, so that
 * writing it again after a crash gives the same file.
 *
 * @returns the file's id
 */
export async function writeOutput(
  app: App,
  batch: CompatBatch,
  kind: RowKind,
  { models, signal }: { readonly models: LineRules['models']; readonly signal: AbortSignal },
): Promise<string> {
  const suffix = kind === 'results' ? 'output' : 'error';
  const hash = createHash('sha256').update(`${batch.id}\0${suffix}`).digest('hex');
  const id = `file-${hash.slice(0, 32)}`;
  const createdAt = app.clock.now();
  const measured = await storeContent(app, id, packed(untilAborted(linesOf(app, batch, kind, models), signal)));
  const file: FileRecord = {
    id,
    ...(batch.tenant === undefined ? {} : { tenant: batch.tenant }),
    purpose: 'batch_output',
    filename: `${batch.id}_${suffix}.jsonl`,
    ...measured,
    createdAt,
    ...(batch.outputSeconds === undefined ? {} : { expiresAt: createdAt + batch.outputSeconds * 1_000 }),
  };
  await app.openai.addFile(file);
  return id;
}

async function* linesOf(
  app: App,
  batch: CompatBatch,
  kind: RowKind,
  models: LineRules['models'],
): AsyncGenerator<string, void, undefined> {
  for (const part of batch.planned?.parts ?? []) {
    const record = await app.batches.get(part.batchId);
    const createdAt = Math.floor((record?.finishedAt ?? app.clock.now()) / 1_000);
    const context = { batchId: batch.id, model: part.workflow, createdAt };
    const rows =
      record !== undefined
        ? (readRows(app, part.batchId, kind) as AsyncIterable<StoredRow>)
        : kind === 'errors'
          ? neverSubmitted(app, batch, part, models)
          : [];
    for await (const row of rows) yield `${outputLine(row, context)}\n`;
  }
}

/** A batch that was cancelled before all of its parts were submitted still accounts for every request. */
async function* neverSubmitted(
  app: App,
  batch: CompatBatch,
  { workflow }: BatchPart,
  models: LineRules['models'],
): AsyncGenerator<StoredRow, void, undefined> {
  const file = await findFile(app, batch.inputFileId);
  if (file === undefined) return;
  const rules = { endpoint: batch.endpoint, models, maxLineBytes: app.config.ingest.maxLineBytes };
  for await (const entry of partSource(app, file, rules, workflow).read({})) {
    if (entry.kind !== 'document') continue;
    const error = { code: 'cancelled', message: 'The batch was cancelled.' };
    yield { id: entry.document.id, status: 'cancelled', error, calls: 0, usage: NO_USAGE, costUsd: 0 };
  }
}

/** Lines in chunks that are worth a write. */
async function* packed(lines: AsyncIterable<string>): AsyncGenerator<Buffer, void, undefined> {
  let chunk = '';
  for await (const line of lines) {
    chunk += line;
    if (chunk.length < CHUNK_UNITS) continue;
    yield Buffer.from(chunk);
    chunk = '';
  }
  if (chunk !== '') yield Buffer.from(chunk);
}
