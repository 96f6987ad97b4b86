import { setImmediate as nextTurn } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { NightmillError } from '../../errors.ts';
import { extractSentences } from '../../local-model/extract-sentences.ts';
import { looksEnglish } from '../../local-model/looks-english.ts';
import { ClassifierStore } from './classifier-store.ts';
import type { ThreadOptions, ThreadReply, ThreadRequest } from './protocol.ts';
import { SentenceEncoder } from './sentence-encoder.ts';
import { TextVectors } from './text-vectors.ts';

/**
 * The thread of the local model. Classifications run one after the other and look up for messages between runs of
 * the encoder; extracts, which are short work, are done as they come.
 */
const port = parentPort;
if (port === null) throw new Error('The local model is a worker thread: open it with openLocalModel()');
const { kind }: ThreadOptions = workerData;

/** Classifications that are still wanted. */
const wanted = new Set<number>();
let store: Promise<ClassifierStore> | undefined;
let last: Promise<void> = Promise.resolve();

port.on('message', (request: ThreadRequest) => {
  if (request.kind === 'cancel') {
    wanted.delete(request.id);
  } else if (request.kind === 'extract') {
    void answer(request.id, async () => {
      const extract = extractSentences(request.text, { maxWords: request.maxWords });
      return { kind: 'extract', id: request.id, extract: { ...extract, isEnglish: looksEnglish(request.text) } };
    });
  } else {
    wanted.add(request.id);
    last = last.then(() => answer(request.id, () => classify(request)));
  }
});

async function classify(request: ThreadRequest & { readonly kind: 'classify' }): Promise<ThreadReply> {
  const { id, spec, specKey, texts } = request;
  const checkpoint = async () => {
    await nextTurn();
    if (!wanted.has(id)) throw new NightmillError('internal', 'The classification was cancelled');
  };
  await checkpoint();
  store ??= openStore().catch((error: unknown) => {
    // So that the next call tries again.
    store = undefined;
    throw error;
  });
  const answers = await (await store).classify(specKey, spec, texts, checkpoint);
  return answers === undefined ? { kind: 'unknown-spec', id } : { kind: 'answers', id, answers };
}

async function openStore(): Promise<ClassifierStore> {
  return new ClassifierStore(kind === 'sentence-encoder' ? new TextVectors(await SentenceEncoder.load()) : undefined);
}

async function answer(id: number, work: () => Promise<ThreadReply>): Promise<void> {
  try {
    port?.postMessage(await work());
  } catch (error) {
    const code = error instanceof NightmillError ? error.code : 'internal';
    const message = error instanceof Error ? error.message : String(error);
    port?.postMessage({ kind: 'error', id, code, message } satisfies ThreadReply);
  }
  wanted.delete(id);
}
