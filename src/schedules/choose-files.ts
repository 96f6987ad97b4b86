import type { Clock } from '../runtime/clock.ts';
import { type ChosenFile, type Inbox, type InboxFile, isLeftAlone } from './inbox.ts';
import type { ScheduleBook } from './schedule-book.ts';

/** Between two looks at a folder; a file that has changed in between is still being written. */
export const SETTLE_MS = 2_000;

const FILES_PER_QUESTION = 500;

export interface FileChoice {
  readonly files: readonly ChosenFile[];
  /** Names of files that are left for the next time, because they are empty or still change. */
  readonly left: readonly string[];
}

/** Looks what is new in an inbox and what to do with it. Takes nothing: see `ScheduleBook.choose`. */
export async function chooseFiles(
  { book, clock }: { readonly book: ScheduleBook; readonly clock: Clock },
  schedule: string,
  inbox: Inbox,
  signal?: AbortSignal,
): Promise<FileChoice> {
  const fresh = await newFiles(book, schedule, inbox);
  if (inbox.mayGrow && fresh.length > 0) await clock.sleep(SETTLE_MS, signal);
  signal?.throwIfAborted();
  const files: ChosenFile[] = [];
  const left: string[] = [];
  const namesOfContent = new Map<string, string>();
  for (const file of fresh) {
    const now = inbox.mayGrow ? await inbox.look(file.name) : file;
    if (now === undefined || file.bytes === 0 || !isSameFile(file, now)) {
      left.push(file.name);
      continue;
    }
    const sha256 = await inbox.hash(file.name);
    if (sha256 === undefined) continue;
    const before = namesOfContent.get(sha256) ?? (await book.nameOfContent(schedule, sha256));
    const fault = before === undefined ? await inbox.findFault(file) : undefined;
    if (before !== undefined) files.push({ ...file, sha256, fate: 'duplicate', reason: before });
    else if (fault !== undefined) files.push({ ...file, sha256, fate: 'quarantined', reason: fault });
    else {
      files.push({ ...file, sha256, fate: 'taken' });
      namesOfContent.set(sha256, file.name);
    }
    signal?.throwIfAborted();
  }
  return { files, left };
}

export function isSameFile(a: InboxFile, b: InboxFile): boolean {
  return a.name === b.name && a.version === b.version && a.bytes === b.bytes;
}

async function newFiles(book: ScheduleBook, schedule: string, inbox: Inbox): Promise<readonly InboxFile[]> {
  const fresh: InboxFile[] = [];
  let asked: InboxFile[] = [];
  const ask = async () => {
    const known = await book.known(schedule, asked);
    fresh.push(...asked.filter((_, index) => known[index] !== true));
    asked = [];
  };
  for await (const file of inbox.list()) {
    if (isLeftAlone(file.name)) continue;
    asked.push(file);
    if (asked.length === FILES_PER_QUESTION) await ask();
  }
  if (asked.length > 0) await ask();
  return fresh;
}
