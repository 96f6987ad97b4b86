import { Readable } from 'node:stream';
import type { Document } from '../documents/document.ts';
import { NightmillError } from '../errors.ts';
import { quoteValue } from '../text/quote-value.ts';

/** What a producer gives: a path or several (files, folders, `s3://bucket/prefix`), or the documents themselves. */
export type DocumentsInput =
  | string
  | readonly string[]
  | Iterable<Pick<Document, 'id' | 'text' | 'metadata'>>
  | AsyncIterable<Pick<Document, 'id' | 'text' | 'metadata'>>;

/** The paths, or undefined where the documents are given themselves. */
export function pathsOf(documents: DocumentsInput): readonly string[] | undefined {
  if (typeof documents === 'string') return [documents];
  if (Array.isArray(documents) && documents.length > 0 && documents.every((each) => typeof each === 'string')) {
    return documents as readonly string[];
  }
  return undefined;
}

/**
 * JSON lines of documents, made as fast as they are read and no faster: whoever produces them waits for the disk.
 *
 * @throws {NightmillError} `input_invalid` (by the stream): something that is no object, named by its place
 */
export function documentsStream(documents: Exclude<DocumentsInput, string>): Readable {
  async function* lines(): AsyncGenerator<string, void, undefined> {
    let place = 0;
    for await (const document of documents as AsyncIterable<unknown>) {
      place += 1;
      if (typeof document !== 'object' || document === null || Array.isArray(document)) {
        throw new NightmillError(
          'input_invalid',
          `Document ${place} is ${quoteValue(String(document))}: give objects such as { id: "a", text: "..." }.`,
        );
      }
      yield `${JSON.stringify(document)}\n`;
    }
  }
  return Readable.from(lines());
}
