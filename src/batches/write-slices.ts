import type { InputEntry, InputProblem } from '../documents/document.ts';
import { DuplicateTexts } from '../documents/duplicate-texts.ts';
import { NightmillError } from '../errors.ts';
import { gzip } from '../runtime/gzip.ts';
import { runInSteps } from '../runtime/run-in-steps.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { storeKeys } from '../store/store-keys.ts';
import { countTokensInSteps } from '../text/tokens.ts';
import { type DocumentPlace, formatSliceEntry, type SliceEntry } from './slice-entry.ts';

export interface SliceLimits {
  readonly sliceDocuments: number;
  readonly sliceTokens: number;
}

export interface WrittenSlices {
  readonly documents: number;
  readonly skipped: number;
  readonly slices: number;
  readonly inputTokens: number;
}

export type WriteProgress = (progress: { readonly documents: number; readonly slices: number }) => void;

const PROBLEMS_SHOWN = 20;
/** Puts under way at once: enough to hide the store's latency, few enough to bound memory. */
const PUTS_AT_ONCE = 4;

/**
 * Cuts a stream of documents into slices and writes each as one object. Deterministic: the same input and limits give
 * the same objects, so a run that was cut off is simply repeated.
 *
 * @throws {NightmillError} `input_invalid` with every problem (the first 20 in full), unless `skipInvalid`
 */
export async function writeSlices(
  store: ObjectStore,
  batchId: string,
  entries: AsyncIterable<InputEntry>,
  options: SliceLimits & { readonly skipInvalid: boolean; readonly onProgress?: WriteProgress },
): Promise<WrittenSlices> {
  const problems: InputProblem[] = [];
  let problemCount = 0;
  let open: string[] = [];
  let openTokens = 0;
  let openBytes = 0;
  const sum = { documents: 0, skipped: 0, slices: 0, inputTokens: 0 };
  const puts = new Set<Promise<void>>();
  const places = new DocumentPlaces();

  const flush = async () => {
    if (open.length === 0) return;
    const key = storeKeys.inputSlice(batchId, sum.slices);
    const put = packAndPut(store, key, open).finally(() => puts.delete(put));
    puts.add(put);
    // A failed put shows when it is awaited; until then it must not count as unhandled.
    put.catch(() => {});
    sum.slices += 1;
    open = [];
    openTokens = 0;
    openBytes = 0;
    if (puts.size >= PUTS_AT_ONCE) await Promise.race(puts);
    options.onProgress?.(sum);
  };

  for await (const entry of entries) {
    if (entry.kind === 'problem' && !options.skipInvalid) {
      problemCount += 1;
      if (problems.length < PROBLEMS_SHOWN) problems.push(entry.problem);
      continue;
    }
    // A batch that is refused anyway is only read on to name its other problems.
    if (problemCount > 0) continue;
    const sliceEntry = await toSliceEntry(entry, places, sum.documents);
    const tokens = sliceEntry.kind === 'document' ? sliceEntry.tokens : 0;
    const line = formatSliceEntry(sliceEntry);
    const full = open.length >= options.sliceDocuments || openTokens + tokens > options.sliceTokens;
    if (open.length > 0 && (full || openBytes + line.length > MOST_SLICE_UNITS)) await flush();
    places.inSlice(sum.slices, sum.documents);
    open.push(line);
    openTokens += tokens;
    openBytes += line.length;
    sum.documents += 1;
    sum.inputTokens += tokens;
    if (sliceEntry.kind === 'skipped') sum.skipped += 1;
  }
  await flush();
  await Promise.all(puts);
  if (problemCount > 0) throw invalidInput(problems, problemCount);
  return sum;
}

async function packAndPut(store: ObjectStore, key: string, lines: readonly string[]): Promise<void> {
  await store.put(key, await gzip(`${lines.join('\n')}\n`));
}

/** Text that is counted as few tokens (runs of spaces) or stands in metadata must not grow a slice without limit. */
const MOST_SLICE_UNITS = 8 * 1024 * 1024;

/** Remembers in which slice each document stands, by its number in the batch. */
class DocumentPlaces {
  readonly #texts = new DuplicateTexts();
  /** Number of the first document of each slice. */
  readonly #firsts: number[] = [];

  inSlice(slice: number, ordinal: number): void {
    if (this.#firsts.length === slice) this.#firsts.push(ordinal);
  }

  /** Where this text stands already. */
  earlier(text: string, ordinal: number): DocumentPlace | undefined {
    const first = this.#texts.add(text, ordinal);
    if (first === undefined) return undefined;
    let low = 0;
    for (let high = this.#firsts.length - 1; low < high; ) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#firsts[middle] ?? 0) <= first) low = middle;
      else high = middle - 1;
    }
    return { slice: low, position: first - (this.#firsts[low] ?? 0) };
  }
}

async function toSliceEntry(entry: InputEntry, places: DocumentPlaces, ordinal: number): Promise<SliceEntry> {
  if (entry.kind === 'document') {
    const { document } = entry;
    const sameAs = places.earlier(document.text, ordinal);
    const tokens = await runInSteps(countTokensInSteps(document.text));
    return { kind: 'document', document, tokens, ...(sameAs === undefined ? {} : { sameAs }) };
  }
  const { code, message, source, line } = entry.problem;
  // Its own id may be another document's, so the row is named by where it stands.
  const id = line === undefined ? source : `${source}:${line}`;
  return { kind: 'skipped', skipped: { id, code, message } };
}

function invalidInput(problems: readonly InputProblem[], count: number): NightmillError {
  const list = problems.map(
    ({ source, line, code, message }) =>
      `  - ${line === undefined ? source : `${source}:${line}`}: ${message} (${code})`,
  );
  const more = count > problems.length ? `\n  … and ${count - problems.length} more` : '';
  return new NightmillError(
    'input_invalid',
    `The input has ${count} bad ${count === 1 ? 'line' : 'lines'}; nothing was submitted:\n${list.join('\n')}${more}\n` +
      'Correct them, or use --skip-invalid to turn them into error rows.',
  );
}
