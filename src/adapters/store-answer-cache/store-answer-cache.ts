import type { AnswerCache } from '../../calls/answer-cache.ts';
import type { JournalEntry } from '../../ledger/journal-entry.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { storeKeys } from '../../store/store-keys.ts';

/** Beside the answer: whose it is and when it was kept, so that it leaves with its batch or by its age. */
interface KeptAnswer extends JournalEntry {
  readonly batch?: string;
  /** Milliseconds since the epoch. */
  readonly at?: number;
}

/** Keeps answers as small objects beside the batches: replies are document content, and Redis holds none for long. */
export class StoreAnswerCache implements AnswerCache {
  readonly #store: ObjectStore;
  readonly #clock: Clock;

  constructor(store: ObjectStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  async get(callKey: string): Promise<JournalEntry | undefined> {
    const bytes = await this.#store.get(storeKeys.cachedAnswer(callKey));
    if (bytes === undefined) return undefined;
    const { batch: _batch, at: _at, ...entry } = JSON.parse(Buffer.from(bytes).toString()) as KeptAnswer;
    return entry;
  }

  async put(callKey: string, entry: JournalEntry, batch: string): Promise<void> {
    const kept: KeptAnswer = { ...entry, batch, at: this.#clock.now() };
    await this.#store.put(storeKeys.cachedAnswer(callKey), Buffer.from(JSON.stringify(kept)));
  }
}
