import type { DocumentParser } from '../../documents/document-parser.ts';
import { ParserPool } from './parser-pool.ts';
import { type ParserLimits, ParserThread } from './parser-thread.ts';

/** Limits by default: 60 seconds, 1,024 MB of heap, 1,536 MB of growth. */
export interface DocumentParserOptions extends Partial<ParserLimits> {
  /** Documents parsed at once, each in a thread of its own; default 1. */
  readonly threads?: number;
}

/**
 * Parsers of HTML, PDF, e-mail and Parquet in worker threads, which start as they are needed.
 * Threads, because a hostile file can keep a parser busy forever or fill the memory, and only a thread can be ended: that
 * file is then a problem, its thread is replaced, and the others continue.
 */
export function openDocumentParser({ threads = 1, ...given }: DocumentParserOptions = {}): DocumentParser {
  const limits = { timeLimitMs: 60_000, heapLimitMb: 1_024, growthLimitMb: 1_536, ...given };
  return new ParserPool(threads, () => new ParserThread(limits));
}
