import { NightmillError } from '../errors.ts';
import type { InputEntry } from './document.ts';
import type { InputReading, NameKind } from './document-input.ts';
import type { DocumentParser, RandomAccess } from './document-parser.ts';
import type { Bytes } from './open-input.ts';
import type { CsvDelimiter } from './parse-csv.ts';
import { parseFormatted } from './parse-formatted.ts';
import { parseTextFile } from './parse-text-file.ts';
import { readCsv } from './read-csv.ts';
import { readJsonl } from './read-jsonl.ts';
import { readParquet } from './read-parquet.ts';
import { readWhole } from './read-whole.ts';
import { toUtf8 } from './to-utf8.ts';

/** Entries as they come: lists, because a promise for each line would cost more than reading it. */
export type Entries = AsyncGenerator<readonly InputEntry[], void, undefined>;

/** A file or object, and how to get at its bytes. */
export interface NamedContent {
  readonly content: Exclude<NameKind['content'], 'other'>;
  readonly delimiter?: CsvDelimiter | undefined;
  /** The id of a document, and the beginning of the ids of rows that have none. */
  readonly name: string;
  /** For messages. */
  readonly source: string;
  /** Unpacked. */
  readonly bytes: () => Bytes;
  /** Of content that is read at any place. */
  readonly file?: () => Promise<RandomAccess & Partial<AsyncDisposable>>;
}

export interface ContentReading extends InputReading {
  readonly maxLineBytes: number;
  readonly ignore: (name: string) => void;
}

/** Reads one file or object with the reader of its type. */
export async function* readContent(named: NamedContent, reading: ContentReading): Entries {
  const { content, name, source, bytes } = named;
  const { encoding, fields, maxLineBytes, delimiter = named.delimiter } = reading;
  if (content === 'lines') {
    yield* readJsonl(toUtf8(bytes(), source, encoding), { source, maxLineBytes, fields });
  } else if (content === 'csv') {
    const delimited = delimiter === undefined ? {} : { delimiter };
    yield* readCsv(toUtf8(bytes(), source, encoding), { source, name, fields, maxLineBytes, ...delimited });
  } else if (content === 'parquet') {
    const parser = parserOf(reading, source);
    const file = await named.file?.();
    if (file === undefined) throw new NightmillError('internal', `There is no way to read ${source} at any place`);
    try {
      yield* readParquet(file, parser, { source, name, fields, maxLineBytes });
    } finally {
      await file[Symbol.asyncDispose]?.();
    }
  } else {
    yield [await (await startDocument({ ...named, content }, reading)).entry];
  }
}

/**
 * Reads the bytes of a file that is one document.
 *
 * @returns as soon as they are read, with the entry that parsing them will give, and how many they are
 */
export async function startDocument(
  { content, name, source, bytes }: NamedContent,
  reading: ContentReading,
): Promise<{ readonly entry: Promise<InputEntry>; readonly bytes: number }> {
  const { encoding, formats, maxLineBytes } = reading;
  const options = { id: name, source, maxBytes: maxLineBytes, encoding, formats };
  const isText = content !== 'html' && content !== 'pdf' && content !== 'mail';
  const parser = isText ? undefined : parserOf(reading, source);
  try {
    const whole = await readWhole(bytes(), options);
    if (!(whole instanceof Uint8Array)) return { entry: Promise.resolve(whole), bytes: 0 };
    const entry =
      isText || parser === undefined
        ? Promise.resolve(parseTextFile(whole, options))
        : parseFormatted(whole, content, parser, options);
    return { entry, bytes: whole.length };
  } catch (error) {
    return { entry: Promise.reject(error), bytes: 0 };
  }
}

function parserOf({ parser }: InputReading, source: string): DocumentParser {
  if (parser !== undefined) return parser;
  throw new NightmillError('internal', `There is no parser for ${source}`);
}
