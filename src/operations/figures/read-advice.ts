import type { BatchSubmission } from '../../batches/batch-submission.ts';
import { observedRows } from '../../calibration/observed-rows.ts';
import { NightmillError } from '../../errors.ts';
import type { Manifest } from '../../finalize/manifest.ts';
import { type Advice, cascadeAdvice, USUAL_PROMISE } from '../../reports/advice.ts';
import { cacheAdvice } from '../../reports/cache-advice.ts';
import { unpackFiles } from '../../results/result-files.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { splitLines } from '../../text/split-lines.ts';
import { labelsOf } from '../../workflows/workflow.ts';

/** An ended batch and how it was submitted. */
export interface AdvisedBatch {
  readonly manifest: Manifest;
  readonly workflow: BatchSubmission['workflow'];
}

/** Rows of a workflow that are read, the newest batches first. */
const MAX_ROWS = 20_000;
/** A week of nights. */
const MAX_BATCHES = 7;

/** What the batches of a period say, from their manifests and the rows that are still there. */
export async function readAdvice(store: ObjectStore, batches: readonly AdvisedBatch[]): Promise<readonly Advice[]> {
  const newest = batches.toSorted((a, b) => Date.parse(b.manifest.finishedAt) - Date.parse(a.manifest.finishedAt));
  const advice: Advice[] = [];
  for (const own of Map.groupBy(newest, ({ manifest }) => manifest.workflow).values()) {
    advice.push(...(await workflowAdvice(store, own)));
  }
  return [...advice, ...cacheAdvice(batches.map(({ manifest }) => manifest))];
}

async function workflowAdvice(store: ObjectStore, batches: readonly AdvisedBatch[]): Promise<readonly Advice[]> {
  const [latest] = batches;
  if (latest === undefined) return [];
  const { workflow: spec, manifest } = latest;
  const { cascade, audit = 0, calibration, name } = spec;
  // Only labels can be compared between tiers.
  if (cascade.length < 2 || labelsOf(spec).length === 0) return [];
  // Rows of other thresholds, prompts or models say nothing of the present ones.
  const same = batches.filter((batch) => batch.manifest.hashes.config === manifest.hashes.config);
  const { lines, ids } = await readLines(store, same);
  return cascadeAdvice({
    workflow: name,
    cascade,
    auditShare: audit,
    promise:
      calibration?.metric === 'agreement'
        ? { target: calibration.target, delta: calibration.delta, isOwn: true }
        : USUAL_PROMISE,
    rows: observedRows(lines, cascade.at(-1)?.model.name ?? ''),
    batches: ids,
    documents: batches.reduce((sum, { manifest: { documents } }) => sum + documents.total - documents.skipped, 0),
  });
}

async function readLines(
  store: ObjectStore,
  batches: readonly AdvisedBatch[],
): Promise<{ readonly lines: readonly string[]; readonly ids: readonly string[] }> {
  const lines: string[] = [];
  const ids: string[] = [];
  for (const { manifest } of batches.slice(0, MAX_BATCHES)) {
    const left = MAX_ROWS - lines.length;
    if (left <= 0) break;
    const own = await readBatch(store, manifest, left);
    if (own === undefined || own.length === 0) continue;
    lines.push(...own);
    ids.push(manifest.batchId);
  }
  return { lines, ids };
}

/** Undefined where its rows are gone or damaged: a report does without them. */
async function readBatch(store: ObjectStore, { results }: Manifest, most: number): Promise<string[] | undefined> {
  const found: string[] = [];
  try {
    for await (const lines of splitLines(unpackFiles(store, results), Number.POSITIVE_INFINITY)) {
      for (const line of lines) if ('bytes' in line) found.push(Buffer.from(line.bytes).toString());
      if (found.length >= most) break;
    }
  } catch (error) {
    if (error instanceof NightmillError && error.code === 'results_damaged') return undefined;
    throw error;
  }
  return found.slice(0, most);
}
