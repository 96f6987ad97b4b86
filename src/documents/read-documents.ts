import { join } from 'node:path';
import { NightmillError } from '../errors.ts';
import { findKeyFault } from '../store/object-key.ts';
import { quoteValue } from '../text/quote-value.ts';
import type { InputEntry } from './document.ts';
import { type DocumentInput, type InputReading, kindOfName, SUPPORTED_INPUTS } from './document-input.ts';
import { DuplicateIds } from './duplicates/duplicate-ids.ts';
import { KEPT_IN_MEMORY } from './duplicates/known-hashes.ts';
import { listFolder } from './list-folder.ts';
import { listStorePrefix, openObject } from './list-store-prefix.ts';
import { nameInputs } from './name-inputs.ts';
import { kindOfPath, openFile } from './open-input.ts';
import { randomAccessOfFile, randomAccessOfObject } from './random-access.ts';
import { type NextContent, readAhead } from './read-ahead.ts';
import { type ContentReading, type Entries, readContent } from './read-content.ts';

/** Longest line, row or document in bytes, where none is given: 64 MiB. */
const DEFAULT_MAX_LINE_BYTES = 64 * 1024 * 1024;

export interface ReadSummary {
  readonly documents: number;
  readonly problems: number;
  /** Files and objects of other types, which gave no entry. */
  readonly ignored: number;
  /** Up to five of their names. */
  readonly ignoredExamples: readonly string[];
}

export interface ReadOptions {
  /** Longest line of JSONL, row and document, in bytes. Default 64 MiB. */
  readonly maxLineBytes?: number;
  /** More documents and problems than that are refused. Default: no limit. */
  readonly maxDocuments?: number | undefined;
  /** Called once, after the last entry. */
  readonly onSummary?: (summary: ReadSummary) => void;
  /** Checked at each piece of input; aborting throws the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Reads the documents of `inputs`, one input after the other, in the order given: an entry for each line that is not
 * blank, each row, each file that is a document, and each link that must not be followed. An id that an earlier document had is a
 * `duplicate_id` problem. Memory holds a piece of input and one line
 * or row group of Parquet, the documents that are parsed beside each other (see `readAhead`), and a byte or two for each id.
 *
 * @throws {NightmillError} `input_invalid`: an input is missing, unreadable, damaged, of an unknown type, or a folder or
 *   prefix without documents, or there are too many documents; what a store throws
 */
export async function* readDocuments(
  inputs: readonly DocumentInput[],
  options: ReadOptions = {},
): AsyncGenerator<InputEntry, void, undefined> {
  const { maxLineBytes = DEFAULT_MAX_LINE_BYTES, maxDocuments, onSummary, signal } = options;
  using ids = new DuplicateIds(KEPT_IN_MEMORY);
  const ignoredExamples: string[] = [];
  let documents = 0;
  let problems = 0;
  let ignored = 0;
  const ignore = (name: string): void => {
    if (ignored++ < 5) ignoredExamples.push(name);
  };
  const names = await nameInputs(inputs);
  for (const [index, input] of inputs.entries()) {
    for await (const entries of readInput(input, names[index] ?? '', { maxLineBytes, ignore })) {
      signal?.throwIfAborted();
      for (const read of entries) {
        const entry = refuseDuplicate(read, ids);
        if (entry.kind === 'document') documents++;
        else problems++;
        if (maxDocuments !== undefined && documents + problems > maxDocuments) throw tooManyDocuments(maxDocuments);
        yield entry;
      }
    }
  }
  onSummary?.({ documents, problems, ignored, ignoredExamples });
}

function refuseDuplicate(entry: InputEntry, ids: DuplicateIds): InputEntry {
  if (entry.kind === 'problem' || ids.add(entry.document.id)) return entry;
  const { document, kind: _, ...place } = entry;
  const message = `The id ${quoteValue(document.id)} was used by an earlier document: give each its own`;
  return { kind: 'problem', problem: { code: 'duplicate_id', message, id: document.id, ...place } };
}

async function* readInput(
  input: DocumentInput,
  inputName: string,
  rest: Omit<ContentReading, keyof InputReading>,
): Entries {
  const reading = { ...input.reading, ...rest };
  if (input.kind === 'spooled') {
    yield* readContent({ content: 'lines', name: '-', source: '-', bytes: () => openFile(input.path, '-') }, reading);
  } else if (input.kind === 'store') yield* readAhead(contentsOfStore(input, inputName, reading), reading);
  else if ((await kindOfPath(input.path)) === 'folder') {
    yield* readAhead(contentsOfFolder(input.path, inputName, reading), reading);
  } else yield* readFile(input, inputName, reading);
}

async function* readFile(
  { path, sentAs: source = path }: Extract<DocumentInput, { kind: 'path' }>,
  inputName: string,
  reading: ContentReading,
): Entries {
  const { content, compression, delimiter } = kindOfName(source);
  if (content === 'other') {
    throw new NightmillError(
      'input_invalid',
      `Cannot read ${source}: its type is not supported. Supported: ${SUPPORTED_INPUTS}.`,
    );
  }
  const bytes = () => openFile(path, source, compression);
  const file = () => randomAccessOfFile(path, source);
  yield* readContent({ content, delimiter, name: inputName, source, bytes, file }, reading);
}

async function* contentsOfFolder(
  folder: string,
  inputName: string,
  { ignore }: ContentReading,
): AsyncGenerator<NextContent, void, undefined> {
  let found = 0;
  const seen: string[] = [];
  for await (const item of listFolder(folder)) {
    if (item.kind === 'ignored') {
      ignore(join(folder, item.name));
      if (seen.length < 5) seen.push(item.name);
      continue;
    }
    found++;
    const source = join(folder, item.name);
    if (item.kind === 'unusable') {
      const message = `The file cannot be read: ${item.reason}`;
      const problem = {
        code: 'invalid_document',
        message,
        source,
        id: `${inputName}${item.name}`.toWellFormed(),
      } as const;
      yield { content: 'known', entries: [{ kind: 'problem', problem }] };
    } else {
      const { content, compression, delimiter, name, path } = item;
      const bytes = () => openFile(path, source, compression);
      const file = () => randomAccessOfFile(path, source);
      yield { content, delimiter, name: `${inputName}${name}`, source, bytes, file };
    }
  }
  if (found === 0) throw nothingFound(`the folder ${folder}`, 'no documents', seen);
}

async function* contentsOfStore(
  { store, prefix }: Extract<DocumentInput, { kind: 'store' }>,
  inputName: string,
  { ignore }: ContentReading,
): AsyncGenerator<NextContent, void, undefined> {
  let found = 0;
  const seen: string[] = [];
  for await (const item of listStorePrefix(store, prefix)) {
    const { content, delimiter, name, info } = item;
    if (content === 'other') {
      ignore(info.key);
      if (seen.length < 5) seen.push(name);
      continue;
    }
    found++;
    const fault = findKeyFault(info.key);
    if (fault !== undefined) {
      const message = `The object cannot be read: ${fault}. Copy it to another key`;
      const problem = { code: 'invalid_document', message, source: info.key, id: `${inputName}${name}` } as const;
      yield { content: 'known', entries: [{ kind: 'problem', problem }] };
      continue;
    }
    const bytes = () => openObject(store, item);
    const file = async () => randomAccessOfObject(store, info);
    yield { content, delimiter, name: `${inputName}${name}`, source: info.key, bytes, file };
  }
  if (found === 0) throw nothingFound(`${store.url} under "${prefix}"`, 'no objects that hold documents', seen);
}

function nothingFound(place: string, missing: string, seen: readonly string[]): NightmillError {
  const others = seen.length === 0 ? 'It is empty' : `It has ${seen.join(', ')}`;
  return new NightmillError(
    'input_invalid',
    `Cannot read ${place}: it has ${missing}. ${others}. Supported: ${SUPPORTED_INPUTS}.`,
  );
}

function tooManyDocuments(most: number): NightmillError {
  return new NightmillError(
    'input_invalid',
    `The input has more than ${most} documents, the most that --max-documents allows; nothing was submitted. Check the input or raise the limit.`,
  );
}
