import type { InputEntry } from './document.ts';
import type { DocumentInput } from './document-input.ts';
import { fingerprintInput } from './fingerprint-input.ts';
import { type ReadOptions, readDocuments } from './read-documents.ts';

/** Where the documents of a batch come from. It can be read more than once and gives the same documents each time. */
export interface DocumentSource {
  /** As a person would name it: files, prefixes, another batch. */
  readonly names: readonly string[];
  /** SHA-256 in hex of the content: equal where the documents are equal. */
  fingerprint(signal?: AbortSignal): Promise<string>;
  read(options: ReadOptions): AsyncIterable<InputEntry>;
}

/** @param names the inputs as the user named them */
export function sourceOfInputs(inputs: readonly DocumentInput[], names: readonly string[]): DocumentSource {
  return {
    names,
    fingerprint: (signal) => fingerprintInput(inputs, signal),
    read: (options) => readDocuments(inputs, options),
  };
}
