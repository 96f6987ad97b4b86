/** One file that waits in an inbox. */
export interface InboxFile {
  /** Its key without the inbox's own prefix, with forward slashes. */
  readonly name: string;
  /** The store's version or ETag: another one is another content, or the same content put there again. */
  readonly version: string;
  readonly bytes: number;
}

/** A file that a slot has taken, and what for. */
export interface ChosenFile extends InboxFile {
  /** In hex; absent where the file could not be read. */
  readonly sha256?: string;
  readonly fate: 'taken' | 'duplicate' | 'quarantined';
  /** For a duplicate, the name under which its content came before; for a quarantined one, what is wrong, without its text. */
  readonly reason?: string;
}

/** Where files are put for a schedule. */
export interface Inbox extends AsyncDisposable {
  /** As people write it. */
  readonly name: string;
  /** Whether a file can be seen before it is complete: in a folder, never in S3. */
  readonly mayGrow: boolean;
  /** Every file; what `isLeftAlone` names too. */
  list(): AsyncIterable<InboxFile>;
  /** As it is now; undefined: it is gone. */
  look(name: string): Promise<InboxFile | undefined>;
  /** SHA-256 in hex of its bytes; undefined: it is gone. */
  hash(name: string): Promise<string | undefined>;
  /** Why no document can be read from it, as a code and a line: no text of it. Undefined: some can. */
  findFault(file: InboxFile): Promise<string | undefined>;
  /**
   * Stores the documents of these files as a batch and enqueues it; again, it joins the batch that is there.
   *
   * @throws {NightmillError} `input_changed`: a file is another one by now, and nothing was submitted
   */
  submit(batchId: string, files: readonly InboxFile[]): Promise<void>;
  /** Moves a file to `archive/BATCH/`; one that is gone or another one by now stays. */
  archive(file: InboxFile, batchId: string): Promise<void>;
  /** Moves a file to `quarantine/`, with a text beside it that says why. */
  quarantine(file: InboxFile): Promise<void>;
}

export const ARCHIVE = 'archive/';
export const QUARANTINE = 'quarantine/';

/** Names that programs give to what they are still writing. */
const UNFINISHED = /\.(?:part|partial|tmp|temp|filepart|crdownload|swp)$|~$/i;

/** What is never taken: unfinished and hidden files, and what was taken before and moved. */
export function isLeftAlone(name: string): boolean {
  if (name.startsWith(ARCHIVE) || name.startsWith(QUARANTINE)) return true;
  return name.split('/').some((segment) => segment === '' || segment.startsWith('.') || UNFINISHED.test(segment));
}
