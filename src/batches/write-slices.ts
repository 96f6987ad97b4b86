import { Readable } from 'node:stream';
import type { InputEntry, InputProblem } from '../documents/document.ts';
import { DuplicateTexts } from '../documents/duplicates/duplicate-texts.ts';
import { KEPT_IN_MEMORY } from '../documents/duplicates/known-hashes.ts';
import { NightmillError } from '../errors.ts';
import { gzip } from '../runtime/gzip.ts';
import { runInSteps } from '../runtime/run-in-steps.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { storeKeys } from '../store/store-keys.ts';
import { textHash } from '../text/text-hash.ts';
import { countTokensInSteps } from '../text/tokens.ts';
import { type DocumentPlace, type EarlierAnswer, formatSliceEntry, type SliceEntry } from './slice-entry.ts';
import { TextHashes } from './text-hashes.ts';

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

/** Answers of earlier batches. */
export interface EarlierAnswers {
  /** @param hash of a document's text, see `textHash` */
  take(hash: Uint8Array): Promise<EarlierAnswer | undefined>;
}

export type WriteProgress = (progress: { readonly documents: number; readonly slices: number }) => void;

const PROBLEMS_SHOWN = 20;
/** Puts under way at once: enough to hide the store's latency, few enough to bound memory. */
const MAX_CONCURRENT_PUTS = 4;

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
  options: SliceLimits & {
    readonly skipInvalid: boolean;
    /** Documents whose text they have are not asked again. */
    readonly earlier?: EarlierAnswers | undefined;
    readonly onProgress?: WriteProgress;
  },
): Promise<WrittenSlices> {
  const problems: InputProblem[] = [];
  let problemCount = 0;
  let open: string[] = [];
  let openTokens = 0;
  let openBytes = 0;
  const sum = { documents: 0, skipped: 0, slices: 0, inputTokens: 0 };
  const puts = new Set<Promise<void>>();
  using places = new DocumentPlaces();
  using hashes = new TextHashes();

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
    if (puts.size >= MAX_CONCURRENT_PUTS) await Promise.race(puts);
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
    const sliceEntry = await toSliceEntry(entry, places, hashes, options.earlier);
    const tokens = sliceEntry.kind === 'document' ? sliceEntry.tokens : 0;
    const line = formatSliceEntry(sliceEntry);
    const full = open.length >= options.sliceDocuments || openTokens + tokens > options.sliceTokens;
    if (open.length > 0 && (full || openBytes + line.length > MAX_SLICE_UNITS)) await flush();
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
  if (problemCount === 0) await putHashes(store, storeKeys.inputTexts(batchId), hashes);
  if (problemCount > 0) throw invalidInput(problems, problemCount);
  return sum;
}

async function putHashes(store: ObjectStore, key: string, hashes: TextHashes): Promise<void> {
  if (hashes.isLarge) await store.putStream(key, Readable.from(hashes.pieces(), { objectMode: false }));
  else await store.put(key, Buffer.concat([...hashes.pieces()]));
}

async function packAndPut(store: ObjectStore, key: string, lines: readonly string[]): Promise<void> {
  await store.put(key, await gzip(`${lines.join('\n')}\n`));
}

/** Text that is counted as few tokens (runs of spaces) or stands in metadata must not grow a slice without limit. */
const MAX_SLICE_UNITS = 8 * 1024 * 1024;

/** Remembers in which slice each document stands, by its number in the batch. */
class DocumentPlaces implements Disposable {
  readonly #texts = new DuplicateTexts(KEPT_IN_MEMORY);
  /** Number of the first document of each slice. */
  readonly #firsts: number[] = [];

  inSlice(slice: number, ordinal: number): void {
    if (this.#firsts.length === slice) this.#firsts.push(ordinal);
  }

  /** Where this text stands already. */
  earlier(hash: Uint8Array, ordinal: number): DocumentPlace | undefined {
    const first = this.#texts.add(hash, ordinal);
    if (first === undefined) return undefined;
    let low = 0;
    for (let high = this.#firsts.length - 1; low < high; ) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#firsts[middle] ?? 0) <= first) low = middle;
      else high = middle - 1;
    }
    return { slice: low, position: first - (this.#firsts[low] ?? 0) };
  }

  [Symbol.dispose](): void {
    this.#texts[Symbol.dispose]();
  }
}

async function toSliceEntry(
  entry: InputEntry,
  places: DocumentPlaces,
  hashes: TextHashes,
  answers: EarlierAnswers | undefined,
): Promise<SliceEntry> {
  const ordinal = hashes.count;
  if (entry.kind === 'document') {
    const { document } = entry;
    const hash = textHash(document.text);
    const duplicateOf = places.earlier(hash, ordinal);
    const answered = await answers?.take(hash);
    // What was not paid for here is found where it was.
    hashes.push(answered === undefined ? hash : undefined);
    const tokens = await runInSteps(countTokensInSteps(document.text));
    if (answered !== undefined) return { kind: 'document', document, tokens, answered };
    return { kind: 'document', document, tokens, ...(duplicateOf === undefined ? {} : { duplicateOf }) };
  }
  hashes.push(undefined);
  const { code, message, source, line } = entry.problem;
  // Its own id may be another document's, so the row is named by where it is.
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
