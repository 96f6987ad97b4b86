import { type AnsweredTexts, type AnswerVersion, readAnsweredTexts } from '../batches/answered-texts.ts';
import type { EarlierAnswer } from '../batches/slice-entry.ts';
import type { EarlierAnswers } from '../batches/write-slices.ts';
import { DuplicateTexts } from '../documents/duplicates/duplicate-texts.ts';
import { NightmillError } from '../errors.ts';
import type { NanoUsd } from '../money/money.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { splitLines } from '../text/split-lines.ts';
import { TEXT_HASH_BYTES } from '../text/text-hash.ts';
import { PackedRows } from './packed-rows.ts';
import { unpackFiles } from './result-files.ts';

/** Documents of earlier batches that are looked through, the newest first: at most 48 bytes each. */
const MAX_DOCUMENTS = 2_000_000;

/** A batch that has answered texts, and the number of its first one among those of all batches. */
interface EarlierBatch {
  readonly texts: AnsweredTexts;
  readonly first: number;
  /** Read when the first of them is taken; undefined: they cannot be read any more. */
  rows?: Promise<PackedRows | undefined>;
}

/**
 * What batches of the same version of a workflow have answered before. Reads nothing before it is asked, and counts what
 * it is asked for.
 */
export class StoredAnswers implements EarlierAnswers {
  readonly #store: ObjectStore;
  readonly #version: AnswerVersion;
  readonly #batches: EarlierBatch[] = [];
  #texts: Promise<DuplicateTexts> | undefined;
  #documents = 0;
  #saved = 0;

  constructor(store: ObjectStore, version: AnswerVersion) {
    this.#store = store;
    this.#version = version;
  }

  /** Documents that were found, and about what they have cost. */
  get found(): { readonly documents: number; readonly cost: NanoUsd } {
    return { documents: this.#documents, cost: Math.round(this.#saved) };
  }

  /** Reads what there is, where that has not happened yet. */
  async open(): Promise<void> {
    this.#texts ??= this.#read();
    await this.#texts;
  }

  /** Whether a text was answered before. */
  async has(hash: Uint8Array): Promise<boolean> {
    const found = await this.#find(hash);
    if (found !== undefined) this.#count(found.batch);
    return found !== undefined;
  }

  /** The row of a text that was answered well; one that a stand-in gave, or in part, is better asked again. */
  async take(hash: Uint8Array): Promise<EarlierAnswer | undefined> {
    const found = await this.#find(hash);
    if (found === undefined) return undefined;
    const { batch, number } = found;
    batch.rows ??= readRows(this.#store, batch.texts);
    const row = await (await batch.rows)?.get(number);
    if (row === undefined || !isWhole(row)) return undefined;
    this.#count(found.batch);
    return { batch: batch.texts.batchId, row };
  }

  async #find(hash: Uint8Array): Promise<{ readonly batch: EarlierBatch; readonly number: number } | undefined> {
    this.#texts ??= this.#read();
    const ordinal = (await this.#texts).get(hash);
    const batch = ordinal === undefined ? undefined : this.#batches.findLast(({ first }) => first <= ordinal);
    if (ordinal === undefined || batch === undefined) return undefined;
    return { batch, number: ordinal - batch.first };
  }

  #count({ texts: { cost, hashes } }: EarlierBatch): void {
    this.#documents += 1;
    this.#saved += (cost * TEXT_HASH_BYTES) / hashes.length;
  }

  async #read(): Promise<DuplicateTexts> {
    const texts = new DuplicateTexts();
    let first = 0;
    for await (const batch of readAnsweredTexts(this.#store, this.#version, MAX_DOCUMENTS)) {
      const count = batch.hashes.length / TEXT_HASH_BYTES;
      for (let number = 0; number < count; number++) {
        const hash = batch.hashes.subarray(number * TEXT_HASH_BYTES, (number + 1) * TEXT_HASH_BYTES);
        if (hash.some((byte) => byte !== 0)) texts.add(hash, first + number);
      }
      this.#batches.push({ texts: batch, first });
      first += count;
    }
    return texts;
  }
}

async function readRows(store: ObjectStore, { files }: AnsweredTexts): Promise<PackedRows | undefined> {
  const rows = new PackedRows();
  try {
    for await (const lines of splitLines(unpackFiles(store, files), Number.POSITIVE_INFINITY)) {
      for (const line of lines) if ('bytes' in line) await rows.push(Buffer.from(line.bytes).toString());
    }
  } catch (error) {
    // Removed or damaged: its documents are asked again.
    if (error instanceof NightmillError && error.code === 'results_damaged') return undefined;
    throw error;
  }
  return rows;
}

function isWhole(line: string): boolean {
  const row = JSON.parse(line) as { degraded?: boolean; fallback?: boolean; result?: { partial?: unknown } };
  return row.degraded !== true && row.fallback !== true && row.result?.partial === undefined;
}
