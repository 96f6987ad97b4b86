import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { App } from '../../src/app.ts';
import { listStatuses } from '../../src/operations/read-status.ts';
import { downloadResults } from '../../src/results/download-results.ts';
import { type BatchBooks, checkBatch } from './check-books.ts';
import { type ChaosDocument, makeDocuments } from './documents.ts';

/** The workflow that takes files by itself, each minute. */
export const SCHEDULED = 'scheduled';

const FILES = 3;
const DOCUMENTS = 8;
const DEATHS = 2;
const LOOK_MS = 40;
const WITHIN_MS = 420_000;

export function inboxOf(folder: string): string {
  return join(folder, 'inbox');
}

/** Puts the first files into the inbox. */
export function fillInbox(folder: string, seed: number): readonly ChaosDocument[] {
  mkdirSync(inboxOf(folder));
  const documents = makeDocuments(seed, SCHEDULED, 'triage', FILES * DOCUMENTS);
  for (let file = 0; file < FILES - 1; file += 1) writeFile(folder, documents, file);
  return documents;
}

function writeFile(folder: string, documents: readonly ChaosDocument[], file: number): void {
  const lines = documents.slice(file * DOCUMENTS, (file + 1) * DOCUMENTS).map((document) => JSON.stringify(document));
  writeFileSync(join(inboxOf(folder), `part-${file}.jsonl`), `${lines.join('\n')}\n`);
}

/**
 * Waits until the schedule has taken every file and its batches have ended. Each of the first batches meets the death of
 * every worker just when it shows up; after the first one another file comes.
 */
export async function playNights(
  { app, folder, killAll }: { readonly app: App; readonly folder: string; readonly killAll: () => void },
  documents: readonly ChaosDocument[],
): Promise<void> {
  const until = performance.now() + WITHIN_MS;
  const seen = new Set<string>();
  for (;;) {
    // Redis may be away in this scenario.
    const open = await app.batches.listOpen().catch(() => []);
    const scheduled = open.filter(({ workflow, batchId }) => workflow === SCHEDULED && !seen.has(batchId));
    for (const { batchId } of scheduled) {
      seen.add(batchId);
      if (seen.size <= DEATHS) killAll();
      if (seen.size === 1) writeFile(folder, documents, FILES - 1);
    }
    const ended = (await nightsOf(app).catch(() => [])).filter(({ state }) => state === 'completed');
    const total = ended.reduce((sum, night) => sum + night.documents.total, 0);
    if (total >= documents.length) return;
    if (performance.now() > until)
      throw new Error(`The schedule has done ${total} of ${documents.length} documents within ${WITHIN_MS / 1_000} s`);
    await delay(LOOK_MS);
  }
}

async function nightsOf(app: App) {
  return await listStatuses(app, { workflow: SCHEDULED, limit: 50 });
}

/** The books of every night; each document of the inbox must be in exactly one. */
export async function checkNights(
  app: App,
  folder: string,
  documents: readonly ChaosDocument[],
): Promise<readonly BatchBooks[]> {
  const books: BatchBooks[] = [];
  const taken = new Map<string, number>();
  for (const { batchId } of await nightsOf(app)) {
    const output = join(folder, 'results', batchId);
    mkdirSync(output, { recursive: true });
    await downloadResults(app.store, batchId, output);
    const rows = ['results.jsonl', 'errors.jsonl'].flatMap((name) =>
      readFileSync(join(output, name), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => (JSON.parse(line) as { readonly id: string }).id),
    );
    for (const id of rows) taken.set(id, (taken.get(id) ?? 0) + 1);
    const ids = documents.map(({ id }) => id).filter((id) => rows.includes(id));
    books.push(checkBatch(output, ids, await app.ledger.totals({ name: `batch:${batchId}`, period: '' })));
  }
  const wrong = documents.filter(({ id }) => taken.get(id) !== 1).map(({ id }) => `${id} ${taken.get(id) ?? 0} times`);
  if (wrong.length > 0) throw new Error(`The schedule took documents of its inbox not once: ${wrong.join(', ')}`);
  return books;
}
