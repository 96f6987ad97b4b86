import { Readable } from 'node:stream';
import type { ObjectStore } from '../store/object-store.ts';
import { storeKeys } from '../store/store-keys.ts';
import { TEXT_HASH_BYTES } from '../text/text-hash.ts';

/** Which version of a workflow answers count for: the same models, prices, settings and words, of one tenant. */
export interface AnswerVersion {
  readonly workflow: string;
  /** sha256 of the workflow, see `workflowHash`. */
  readonly configHash: string;
  /** sha256 of its prompts. */
  readonly promptHash: string;
  readonly tenant?: string | undefined;
}

/** The texts that a batch has answered: the nth hash belongs to the nth row of its results. */
export interface AnsweredTexts {
  readonly batchId: string;
  /** What its rows have cost, in nano-dollars. */
  readonly cost: number;
  /** The batch's result files as its own end left them. */
  readonly files: readonly {
    readonly key: string;
    readonly bytes: number;
    readonly sha256: string;
    readonly lines: number;
  }[];
  /** {@link TEXT_HASH_BYTES} each. */
  readonly hashes: Uint8Array;
}

const LINE_FEED = 0x0a;

/**
 * Stores which texts a batch has answered: one line of JSON, then the hashes, in bounded memory.
 *
 * @param hashes {@link TEXT_HASH_BYTES} each, one after another in pieces
 * @param createdAt of the batch, milliseconds since the epoch: newer batches are found first
 */
export async function putAnsweredTexts(
  store: ObjectStore,
  version: AnswerVersion,
  createdAt: number,
  head: Omit<AnsweredTexts, 'hashes'>,
  hashes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  const age = (Number.MAX_SAFE_INTEGER - createdAt).toString().padStart(16, '0');
  const key = `${storeKeys.answeredPrefix(version)}${age}-${head.batchId}.bin`;
  async function* pieces() {
    yield Buffer.from(`${JSON.stringify(head)}\n`);
    yield* hashes;
  }
  await store.putStream(key, Readable.from(pieces()));
}

/**
 * Batches of a workflow, of whatever version, that have answered something, the newest first.
 *
 * @param tenant whose; absent: all
 */
export async function answeredBatches(
  store: Pick<ObjectStore, 'list'>,
  workflow: string,
  tenant: string | undefined,
): Promise<readonly string[]> {
  const found: { readonly age: string; readonly batchId: string }[] = [];
  for await (const { key } of store.list(storeKeys.answeredOf(workflow))) {
    const [, , , whose, name = ''] = key.split('/');
    const [, age, batchId] = /^(\d+)-(.+)\.bin$/.exec(name) ?? [];
    if (age === undefined || batchId === undefined) continue;
    if (tenant === undefined || whose === `tenant-${tenant}`) found.push({ age, batchId });
  }
  return found.sort((a, b) => (a.age < b.age ? -1 : 1)).map(({ batchId }) => batchId);
}

/** What batches of this version have answered, the newest first, up to about so many documents. */
export async function* readAnsweredTexts(
  store: ObjectStore,
  version: AnswerVersion,
  mostDocuments: number,
): AsyncGenerator<AnsweredTexts> {
  let documents = 0;
  for await (const { key } of store.list(storeKeys.answeredPrefix(version))) {
    const bytes = await store.get(key);
    const end = bytes?.indexOf(LINE_FEED) ?? -1;
    if (bytes === undefined || end === -1) continue;
    const head = JSON.parse(Buffer.from(bytes.subarray(0, end)).toString()) as Omit<AnsweredTexts, 'hashes'>;
    const hashes = bytes.subarray(end + 1);
    yield { ...head, hashes };
    documents += hashes.length / TEXT_HASH_BYTES;
    if (documents >= mostDocuments) return;
  }
}
