import { NightmillError } from '../errors.ts';
import type { InputEntry } from './document.ts';
import type { InputReading, NameKind } from './document-input.ts';
import type { DocumentParser, RandomAccess } from './document-parser.ts';
import type { Bytes } from './open-input.ts';
import type { CsvDelimiter } from './parse-csv.ts';
import { readCsv } from './read-csv.ts';
import { readFormatted } from './read-formatted.ts';
import { readJsonl } from './read-jsonl.ts';
import { readParquet } from './read-parquet.ts';
import { readText } from './read-text.ts';
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
  const { encoding, fields, formats, maxLineBytes, delimiter = named.delimiter } = reading;
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
    const options = { id: name, source, maxBytes: maxLineBytes, encoding, formats };
    yield [
      content === 'text'
        ? await readText(bytes(), options)
        : await readFormatted(bytes(), content, parserOf(reading, source), options),
    ];
  }
}

function parserOf({ parser }: InputReading, source: string): DocumentParser {
  if (parser !== undefined) return parser;
  throw new NightmillError('internal', `There is no parser for ${source}`);
}
