import { hash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { NightmillError } from '../../errors.ts';
import type { Extract, LocalAnswer, LocalClassifierSpec, LocalModel } from '../../local-model/local-model.ts';
import { sampleText } from '../../local-model/sample-text.ts';
import type { ThreadOptions, ThreadReply, ThreadRequest } from './protocol.ts';
import { sentenceEncoderInstalled } from './sentence-encoder.ts';

export interface LocalModelOptions {
  /** Default: `sentence-encoder` where its optional packages are installed, else `naive-bayes`. */
  readonly kind?: LocalModel['kind'];
  /**
   * Megabytes of JavaScript heap that the thread may use before it is ended and its calls fail, default 1024. The
   * encoder's own 150 MB of WebAssembly memory come on top.
   */
  readonly heapLimitMb?: number;
}

/**
 * The free local model, in a worker thread of its own. The thread starts with the first call and keeps the process
 * alive only while a call waits. A thread that crashes fails the calls that wait for it with `internal`, retryable;
 * the next call starts another.
 *
 * Of a text over 16,000 characters `classify` reads 40 evenly spaced windows of 399; `extract` reads all of it.
 */
export function openLocalModel(options: LocalModelOptions = {}): LocalModel {
  return new ThreadedLocalModel(
    options.kind ?? (sentenceEncoderInstalled() ? 'sentence-encoder' : 'naive-bayes'),
    options.heapLimitMb ?? 1_024,
  );
}

interface Waiting {
  readonly resolve: (reply: ThreadReply) => void;
  readonly reject: (reason: unknown) => void;
}

class ThreadedLocalModel implements LocalModel {
  readonly kind: LocalModel['kind'];
  readonly #heapLimitMb: number;
  /** Specs are data that nobody changes, so one object has one key. */
  readonly #specKeys = new WeakMap<LocalClassifierSpec, string>();
  readonly #waiting = new Map<number, Waiting>();
  #thread: Worker | undefined;
  #lastId = 0;
  #closed = false;

  constructor(kind: LocalModel['kind'], heapLimitMb: number) {
    this.kind = kind;
    this.#heapLimitMb = heapLimitMb;
  }

  async classify(
    spec: LocalClassifierSpec,
    texts: readonly string[],
    signal?: AbortSignal,
  ): Promise<readonly LocalAnswer[]> {
    signal?.throwIfAborted();
    const request = { kind: 'classify', specKey: this.#keyOf(spec), texts: texts.map(sampleText) } as const;
    let reply = await this.#ask((id) => ({ ...request, id }), signal);
    if (reply.kind === 'unknown-spec') {
      const examples = spec.examples.map((example) => ({ ...example, text: sampleText(example.text) }));
      reply = await this.#ask((id) => ({ ...request, id, spec: { ...spec, examples } }), signal);
    }
    if (reply.kind !== 'answers') throw unexpected(reply);
    return reply.answers;
  }

  async extract(text: string, options: { readonly maxWords: number }, signal?: AbortSignal): Promise<Extract> {
    const { maxWords } = options;
    if (!(Number.isInteger(maxWords) && maxWords >= 1)) {
      throw new NightmillError(
        'config_invalid',
        `Cannot extract at most ${maxWords} words: give a whole number from 1.`,
      );
    }
    const reply = await this.#ask((id) => ({ kind: 'extract', id, text, maxWords }), signal);
    if (reply.kind !== 'extract') throw unexpected(reply);
    return reply.extract;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const thread = this.#thread;
    this.#thread = undefined;
    this.#failAll(closedError());
    await thread?.terminate();
  }

  async #ask(build: (id: number) => ThreadRequest, signal: AbortSignal | undefined): Promise<ThreadReply> {
    signal?.throwIfAborted();
    if (this.#closed) throw closedError();
    const thread = this.#thread ?? this.#start();
    this.#lastId++;
    const id = this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<ThreadReply>();
    const abort = () => {
      thread.postMessage({ kind: 'cancel', id } satisfies ThreadRequest);
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', abort, { once: true });
    this.#waiting.set(id, { resolve, reject });
    thread.ref();
    try {
      thread.postMessage(build(id));
      return await promise;
    } finally {
      signal?.removeEventListener('abort', abort);
      this.#waiting.delete(id);
      if (this.#waiting.size === 0) thread.unref();
    }
  }

  #start(): Worker {
    // The compiler leaves strings alone: run from source this file ends in .ts, built in .js, and so does its worker.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const thread = new Worker(new URL(`./worker.${extension}`, import.meta.url), {
      workerData: { kind: this.kind } satisfies ThreadOptions,
      // Flags of the program's own entry point (--input-type, --import) would fail or act twice here.
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: this.#heapLimitMb },
      name: 'nightmill-local-model',
    });
    this.#thread = thread;
    thread.on('message', (reply: ThreadReply) => this.#settle(reply));
    thread.on('error', (cause) => this.#lose(thread, cause));
    thread.on('exit', (exitCode) => this.#lose(thread, new Error(`The thread ended with exit code ${exitCode}`)));
    return thread;
  }

  #settle(reply: ThreadReply): void {
    // Not there: aborted meanwhile.
    const waiting = this.#waiting.get(reply.id);
    if (reply.kind === 'error') waiting?.reject(new NightmillError(reply.code, reply.message));
    else waiting?.resolve(reply);
  }

  #lose(thread: Worker, cause: unknown): void {
    if (this.#thread !== thread) return;
    this.#thread = undefined;
    const reason = cause instanceof Error ? cause.message : String(cause);
    this.#failAll(
      new NightmillError(
        'internal',
        `The thread of the local model ended unexpectedly: ${reason}. The next call starts another; if it happens ` +
          'again with the same documents, raise the memory of the machine or leave `local` out of the cascade.',
        { cause, retryable: true },
      ),
    );
  }

  #failAll(error: NightmillError): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  #keyOf(spec: LocalClassifierSpec): string {
    let key = this.#specKeys.get(spec);
    if (key === undefined) {
      const content = [
        spec.labels.map(({ label, description }) => [label, description]),
        spec.examples.map(({ text, label, weight }) => [text, label, weight ?? 1]),
        spec.fallbackLabel ?? null,
      ];
      key = hash('sha256', JSON.stringify(content), 'base64url');
      this.#specKeys.set(spec, key);
    }
    return key;
  }
}

function closedError(): NightmillError {
  return new NightmillError('internal', 'Cannot use the local model: it was closed. Open another one.');
}

function unexpected(reply: ThreadReply): NightmillError {
  return new NightmillError(
    'internal',
    `The thread of the local model answered with ${reply.kind}, which was not asked for.`,
  );
}
