import type { AnswerCache } from '../../calls/answer-cache.ts';
import type { JournalEntry } from '../../ledger/journal-entry.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { storeKeys } from '../../store/store-keys.ts';

/** Keeps answers as small objects beside the batches: replies are document content, and Redis holds none for long. */
export class StoreAnswerCache implements AnswerCache {
  readonly #store: ObjectStore;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  async get(callKey: string): Promise<JournalEntry | undefined> {
    const bytes = await this.#store.get(storeKeys.cachedAnswer(callKey));
    return bytes === undefined ? undefined : (JSON.parse(Buffer.from(bytes).toString()) as JournalEntry);
  }

  async put(callKey: string, entry: JournalEntry): Promise<void> {
    await this.#store.put(storeKeys.cachedAnswer(callKey), Buffer.from(JSON.stringify(entry)));
  }
}
