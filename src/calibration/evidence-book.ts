/** What tests that run over many batches know so far, one short text a test, written by many workers. */
export interface EvidenceBook {
  /** Undefined: nothing yet. */
  get(name: string): Promise<string | undefined>;
  /** Writes only where the present text is still `before`; false: someone else was first. */
  swap(name: string, before: string | undefined, after: string): Promise<boolean>;
}

const TRIES = 50;

/** Undefined: nothing yet. */
export async function readEvidence<T>(book: EvidenceBook, name: string): Promise<T | undefined> {
  const text = await book.get(name);
  return text === undefined ? undefined : (JSON.parse(text) as T);
}

/**
 * Changes a record as if nobody else did at the same time.
 *
 * @param change pure: it may be called again
 * @returns the record as it is now, and as it was before; undefined where others were first too often
 */
export async function changeEvidence<T>(
  book: EvidenceBook,
  name: string,
  change: (before: T | undefined) => T,
): Promise<{ readonly before: T | undefined; readonly after: T } | undefined> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const text = await book.get(name);
    const before = text === undefined ? undefined : (JSON.parse(text) as T);
    const after = change(before);
    if (await book.swap(name, text, JSON.stringify(after))) return { before, after };
  }
  return undefined;
}
