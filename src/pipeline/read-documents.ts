import { basename, join } from 'node:path';
import type { InputEntry } from '../domain/document.ts';
import { quoteValue } from '../domain/quote-value.ts';
import { NightmillError } from '../errors.ts';
import { type DocumentInput, kindOfName, SUPPORTED_INPUTS } from './document-input.ts';
import { DuplicateIds } from './duplicate-ids.ts';
import { listFolder } from './list-folder.ts';
import { listStorePrefix, openObject } from './list-store-prefix.ts';
import { kindOfPath, openFile } from './open-input.ts';
import { readJsonl } from './read-jsonl.ts';
import { readText } from './read-text.ts';

/** Longest line or text file in bytes, where none is given: 64 MiB. */
export const DEFAULT_MAX_LINE_BYTES = 64 * 1024 * 1024;

export interface ReadSummary {
  readonly documents: number;
  readonly problems: number;
  /** Files and objects of other types, which gave no entry. */
  readonly ignored: number;
  /** Up to five of their names. */
  readonly ignoredExamples: readonly string[];
}

export interface ReadOptions {
  /** Longest line of JSONL and longest text file, in bytes. Default {@link DEFAULT_MAX_LINE_BYTES}. */
  readonly maxLineBytes?: number;
  /** Called once, after the last entry. */
  readonly onSummary?: (summary: ReadSummary) => void;
  /** Checked at each piece of input; aborting throws the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Entries as they come: lists, because a promise for each line would cost more than reading it. */
type Entries = AsyncGenerator<readonly InputEntry[], void, undefined>;

interface Reading {
  readonly maxLineBytes: number;
  readonly ignore: (name: string) => void;
}

/**
 * Reads the documents of `inputs`, one input after the other, in the order given: an entry for each line that is not
 * blank, each text file, and each link that must not be followed. An id that an earlier document had is a
 * `duplicate_id` problem. Memory holds a piece of input and one line, and 16 bytes for each id.
 *
 * @throws {NightmillError} `input_invalid`: an input is missing, unreadable, damaged, of an unknown type, or a folder or
 *   prefix without documents; what a store throws
 */
export async function* readDocuments(
  inputs: readonly DocumentInput[],
  options: ReadOptions = {},
): AsyncGenerator<InputEntry, void, undefined> {
  const { maxLineBytes = DEFAULT_MAX_LINE_BYTES, onSummary, signal } = options;
  const ids = new DuplicateIds();
  const ignoredExamples: string[] = [];
  let documents = 0;
  let problems = 0;
  let ignored = 0;
  const ignore = (name: string): void => {
    if (ignored++ < 5) ignoredExamples.push(name);
  };
  for (const input of inputs) {
    for await (const entries of readInput(input, { maxLineBytes, ignore })) {
      signal?.throwIfAborted();
      for (const read of entries) {
        const entry = refuseDuplicate(read, ids);
        if (entry.kind === 'document') documents++;
        else problems++;
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

async function* readInput(input: DocumentInput, reading: Reading): Entries {
  if (input.kind === 'spooled') yield* readJsonl(openFile(input.path, '-'), { source: '-', ...reading });
  else if (input.kind === 'store') yield* readStore(input, reading);
  else if ((await kindOfPath(input.path)) === 'folder') yield* readFolder(input.path, reading);
  else yield* readFile(input.path, reading);
}

async function* readFile(path: string, reading: Reading): Entries {
  const { content, compression } = kindOfName(path);
  if (content === 'lines') yield* readJsonl(openFile(path, path, compression), { source: path, ...reading });
  else if (content === 'text') {
    yield [await readText(openFile(path, path), { id: basename(path), source: path, maxBytes: reading.maxLineBytes })];
  } else {
    throw new NightmillError(
      'input_invalid',
      `Cannot read ${path}: its type is not supported. Supported: ${SUPPORTED_INPUTS}.`,
    );
  }
}

async function* readFolder(folder: string, { maxLineBytes, ignore }: Reading): Entries {
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
      yield [{ kind: 'problem', problem: { code: 'invalid_document', message, source, id: item.name.toWellFormed() } }];
    } else yield [await readText(openFile(item.path, source), { id: item.name, source, maxBytes: maxLineBytes })];
  }
  if (found === 0) throw nothingFound(`the folder ${folder}`, 'no .txt or .md files', seen);
}

async function* readStore({ store, prefix }: Extract<DocumentInput, { kind: 'store' }>, reading: Reading): Entries {
  let found = 0;
  const seen: string[] = [];
  for await (const item of listStorePrefix(store, prefix)) {
    const source = item.info.key;
    if (item.content === 'other') {
      reading.ignore(source);
      if (seen.length < 5) seen.push(item.name);
      continue;
    }
    found++;
    const bytes = openObject(store, item);
    if (item.content === 'lines') yield* readJsonl(bytes, { source, ...reading });
    else yield [await readText(bytes, { id: item.name, source, maxBytes: reading.maxLineBytes })];
  }
  if (found === 0) throw nothingFound(`${store.url} under "${prefix}"`, 'no .jsonl, .txt or .md objects', seen);
}

function nothingFound(place: string, missing: string, seen: readonly string[]): NightmillError {
  const others = seen.length === 0 ? 'It is empty' : `It has ${seen.join(', ')}`;
  return new NightmillError(
    'input_invalid',
    `Cannot read ${place}: it has ${missing}. ${others}. Supported: ${SUPPORTED_INPUTS}.`,
  );
}
