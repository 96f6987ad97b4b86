import PQueue from 'p-queue';
import {
  type DocumentFormat,
  type DocumentParser,
  type ParquetTable,
  type ParsedDocument,
  ParseError,
  type ParseOptions,
  type RandomAccess,
} from '../../documents/document-parser.ts';
import { GrowthError, type ParserThread } from './parser-thread.ts';

/** One thread, or what a test puts in its place. */
export type PooledThread = Pick<ParserThread, 'parse' | 'openParquet' | typeof Symbol.asyncDispose>;

/** Threads that start as they are needed. Each is ended and replaced for itself; the others continue. */
export class ParserPool implements DocumentParser {
  readonly threads: number;
  readonly #startThread: () => PooledThread;
  readonly #queue: PQueue;
  readonly #all: PooledThread[] = [];
  readonly #idle: PooledThread[] = [];
  #tables: PooledThread | undefined;
  /** Calls begun so far, and those that have not ended. */
  #begun = 0;
  #open = 0;
  /** Those that run alone, one after the other. */
  #lastAlone: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(threads: number, startThread: () => PooledThread) {
    this.threads = threads;
    this.#startThread = startThread;
    this.#queue = new PQueue({ concurrency: threads });
  }

  async parse(format: DocumentFormat, bytes: Uint8Array, options: ParseOptions): Promise<ParsedDocument> {
    const ask = (thread: PooledThread) => thread.parse(format, bytes, options);
    try {
      // Which of several documents has filled the memory is found out by asking for each alone.
      return (await this.#queue.add(() => this.#beside(ask))) ?? (await this.#alone(ask));
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      return { kind: 'problem', code: 'unreadable_file', message: `The file cannot be parsed: ${error.message}` };
    }
  }

  openParquet(source: RandomAccess): Promise<ParquetTable> {
    this.#tables ??= this.#start();
    return this.#tables.openParquet(source);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#all.map((thread) => thread[Symbol.asyncDispose]()));
  }

  /** Undefined where the memory was filled while other calls were open. */
  async #beside(ask: (thread: PooledThread) => Promise<ParsedDocument>): Promise<ParsedDocument | undefined> {
    const wasAlone = this.#open === 0;
    const begun = ++this.#begun;
    try {
      return await this.#on(ask);
    } catch (error) {
      const isAlone = wasAlone && begun === this.#begun;
      if (error instanceof GrowthError && !isAlone) return undefined;
      throw error;
    }
  }

  #alone(ask: (thread: PooledThread) => Promise<ParsedDocument>): Promise<ParsedDocument> {
    const parsed = this.#lastAlone.then(async () => {
      this.#queue.pause();
      try {
        await this.#queue.onPendingZero();
        return await this.#on(ask);
      } finally {
        this.#queue.start();
      }
    });
    this.#lastAlone = parsed.catch(() => {});
    return parsed;
  }

  async #on(ask: (thread: PooledThread) => Promise<ParsedDocument>): Promise<ParsedDocument> {
    if (this.#isClosed) throw new ParseError('its parser was closed');
    const thread = this.#idle.pop() ?? this.#start();
    this.#open += 1;
    try {
      return await ask(thread);
    } finally {
      this.#open -= 1;
      this.#idle.push(thread);
    }
  }

  #start(): PooledThread {
    const thread = this.#startThread();
    this.#all.push(thread);
    return thread;
  }
}
