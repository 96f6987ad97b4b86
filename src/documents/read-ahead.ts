import type { InputEntry } from './document.ts';
import { isDocumentContent } from './document-input.ts';
import { type ContentReading, type Entries, type NamedContent, readContent, startDocument } from './read-content.ts';

/** Bytes of documents that are read, parsed or wait for their turn. One more is begun while there are fewer. */
const MAX_BYTES_AHEAD = 64 * 1024 * 1024;
/** So many documents for each thread: enough to keep it busy while the ones before it are taken. */
const DOCUMENTS_PER_THREAD = 8;

/** What is next in a folder or a store: something to read, or what is known of it without reading. */
export type NextContent = NamedContent | { readonly content: 'known'; readonly entries: readonly InputEntry[] };

interface Begun {
  /** Rejects with what reading throws. */
  readonly entries: Promise<readonly InputEntry[]>;
  /** Of the file while it is parsed, of the text after it. */
  bytes: number;
}

/**
 * Entries in the order of `contents`. Files that are one document each are read ahead and parsed beside each other, so that all
 * threads of the parser have work; the bytes that wait are bounded.
 */
export async function* readAhead(contents: AsyncIterable<NextContent>, reading: ContentReading): Entries {
  const begun: Begun[] = [];
  const mostDocuments = DOCUMENTS_PER_THREAD * (reading.parser?.threads ?? 1);
  const isFull = () => begun.length >= mostDocuments || sumOf(begun) >= MAX_BYTES_AHEAD;
  for await (const next of contents) {
    if (next.content !== 'known' && !isDocumentContent(next.content)) {
      while (begun.length > 0) yield await takeFirst(begun);
      yield* readContent(next, reading);
      continue;
    }
    begun.push(next.content === 'known' ? known(next.entries) : await begin(next, reading));
    while (isFull()) yield await takeFirst(begun);
  }
  while (begun.length > 0) yield await takeFirst(begun);
}

function known(entries: readonly InputEntry[]): Begun {
  return { entries: Promise.resolve(entries), bytes: 0 };
}

/** Reads a document's bytes, and continues while it is parsed. */
async function begin(named: NamedContent, reading: ContentReading): Promise<Begun> {
  const { entry, bytes } = await startDocument(named, reading);
  const begun: Begun = {
    bytes,
    entries: entry.then((read) => {
      begun.bytes = read.kind === 'document' ? 2 * read.document.text.length : 0;
      return [read];
    }),
  };
  // Thrown when its turn comes; until then nobody listens.
  begun.entries.catch(() => {});
  return begun;
}

async function takeFirst(begun: Begun[]): Promise<readonly InputEntry[]> {
  const [first] = begun;
  const entries = (await first?.entries) ?? [];
  begun.shift();
  return entries;
}

function sumOf(begun: readonly Begun[]): number {
  return begun.reduce((sum, { bytes }) => sum + bytes, 0);
}
