import type { JournalEntry } from '../ledger/journal-entry.ts';

/**
 * Paid replies kept across batches, by call key: model, prompt, parameters and text are all in the key, so a hit is the
 * reply to the very same request. Only workflows that ask for it use it.
 */
export interface AnswerCache {
  get(callKey: string): Promise<JournalEntry | undefined>;
  /** @param batchId whose documents it answers: it leaves with that batch */
  put(callKey: string, entry: JournalEntry, batchId: string): Promise<void>;
}
