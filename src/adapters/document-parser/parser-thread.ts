import { Worker } from 'node:worker_threads';
import {
  type DocumentFormat,
  type ParquetTable,
  type ParsedDocument,
  ParseError,
  type ParseOptions,
  type RandomAccess,
} from '../../documents/document-parser.ts';
import { NightmillError } from '../../errors.ts';
import type { ParserReply, ParserRequest } from './protocol.ts';

export interface ParserLimits {
  /** For one document, or one row group of a table. */
  readonly timeLimitMs: number;
  /** Megabytes of JavaScript heap of the thread. */
  readonly heapLimitMb: number;
  /** Megabytes by which the whole process may grow during one call, unpacked bytes outside the heap included. */
  readonly growthLimitMb: number;
}

/** The process has grown too much while this call was made; another one may be the reason. */
export class GrowthError extends ParseError {}

const MEGABYTE = 1024 * 1024;
/** How often the memory is looked at: a bomb unpacks some ten megabytes in that time. */
const WATCH_MS = 100;

/**
 * A worker thread that parses one thing at a time. It starts with the first call and is used for all; a call that does not
 * answer in time, or takes too much memory, ends it, and the next one gets a new thread.
 */
export class ParserThread implements AsyncDisposable {
  readonly #limits: ParserLimits;
  #thread: Worker | undefined;
  #busy = false;

  constructor(limits: ParserLimits) {
    this.#limits = limits;
  }

  /** @throws {ParseError} what cannot be parsed for its time or memory */
  async parse(format: DocumentFormat, bytes: Uint8Array, options: ParseOptions): Promise<ParsedDocument> {
    const reply = await this.#ask({ kind: 'document', format, bytes, ...options });
    if (reply.kind === 'document') return reply.parsed;
    throw unexpected(reply);
  }

  async openParquet(source: RandomAccess): Promise<ParquetTable> {
    const reply = await this.#ask({ kind: 'open-table', byteLength: source.byteLength }, source);
    if (reply.kind !== 'table') throw unexpected(reply);
    return { columns: reply.columns, rows: (at) => this.#rows(source, reply.groups, at, reply.columns.length) };
  }

  async *#rows(source: RandomAccess, groups: number, at: readonly number[], width: number) {
    for (let group = 0; group < groups; group++) {
      for (let from: number | undefined = 0; from !== undefined; ) {
        const reply: ParserReply = await this.#ask({ kind: 'rows', group, from, columns: at }, source);
        if (reply.kind !== 'rows') throw unexpected(reply);
        yield reply.rows.map((values) => {
          const row = new Array<unknown>(width).fill(undefined);
          at.forEach((position, index) => {
            row[position] = values[index];
          });
          return row;
        });
        from = reply.next;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    await thread?.terminate();
  }

  async #ask(request: ParserRequest, source?: RandomAccess): Promise<ParserReply> {
    if (this.#busy) throw new NightmillError('internal', 'The document parser was asked two things at once');
    this.#busy = true;
    const thread = this.#thread ?? this.#start();
    const { promise, resolve, reject } = Promise.withResolvers<ParserReply>();
    const { timeLimitMs, growthLimitMb } = this.#limits;
    const giveUp = () => reject(new ParseError(`it takes longer than ${timeLimitMs / 1000} seconds`));
    let timer = setTimeout(giveUp, timeLimitMs);
    const most = process.memoryUsage.rss() + growthLimitMb * MEGABYTE;
    const watch = setInterval(() => {
      if (process.memoryUsage.rss() > most) reject(new GrowthError(`it takes more than ${growthLimitMb} MB of memory`));
    }, WATCH_MS);
    let answered = false;
    const receive = (reply: ParserReply) => {
      answered = reply.kind !== 'read';
      if (reply.kind === 'fault') return reject(new ParseError(reply.message));
      if (reply.kind !== 'read' || source === undefined) return resolve(reply);
      // The clock is the thread's: it stops while it waits for the store.
      clearTimeout(timer);
      source.read(reply.start, reply.end).then((bytes) => {
        timer = setTimeout(giveUp, timeLimitMs);
        thread.postMessage({ kind: 'bytes', read: reply.read, bytes } satisfies ParserRequest);
      }, reject);
    };
    const lose = (cause: unknown) => reject(new ParseError(this.#describeLoss(cause)));
    thread.on('message', receive);
    thread.on('error', lose);
    thread.on('exit', lose);
    thread.ref();
    try {
      thread.postMessage(request);
      return await promise;
    } finally {
      clearTimeout(timer);
      clearInterval(watch);
      thread.off('message', receive);
      thread.off('error', lose);
      thread.off('exit', lose);
      thread.unref();
      // One that did not answer hangs, or waits for bytes that will never come.
      if (!answered) await this[Symbol.asyncDispose]();
      this.#busy = false;
    }
  }

  #describeLoss(cause: unknown): string {
    const memory = cause instanceof Error && 'code' in cause && cause.code === 'ERR_WORKER_OUT_OF_MEMORY';
    if (memory) return `it takes more than ${this.#limits.heapLimitMb} MB of memory`;
    return `its parser ended (${cause instanceof Error ? cause.message.slice(0, 120) : `exit code ${String(cause)}`})`;
  }

  #start(): Worker {
    // The compiler leaves strings alone: run from source this file ends in .ts, built in .js, and so does its worker.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const thread = new Worker(new URL(`./worker.${extension}`, import.meta.url), {
      // Flags of the program's own entry point (--input-type, --import) would fail or act twice here.
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: this.#limits.heapLimitMb },
      name: 'nightmill-document-parser',
    });
    this.#thread = thread;
    // Between two requests nobody else listens.
    thread.on('error', () => {});
    thread.on('exit', () => {
      if (this.#thread === thread) this.#thread = undefined;
    });
    return thread;
  }
}

function unexpected(reply: ParserReply): NightmillError {
  return new NightmillError('internal', `The document parser answered with ${reply.kind}, which was not asked for`);
}
