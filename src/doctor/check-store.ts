import { StoreError } from '../errors.ts';
import type { ObjectStore } from '../store/object-store.ts';

/**
 * Writes, reads, lists and removes a small object below `.nightmill-probe/`, so that missing rights are found before
 * a batch starts.
 *
 * @param id name of the probe; different for every check that may run at the same time
 * @param bytes least size of the object
 * @throws {StoreError} as the store threw it, or `store_unavailable` if it does not give back what was written
 */
export async function checkStore(store: ObjectStore, id: string, bytes = 0): Promise<void> {
  const key = `.nightmill-probe/${id}`;
  const written = Buffer.from(`nightmill probe ${id}\n`.padEnd(bytes));
  await store.put(key, written);
  try {
    const read = await store.get(key);
    if (read === undefined) throw unexpected(store, `${key} was written but cannot be read`);
    if (!written.equals(read)) throw unexpected(store, `${key} does not hold what was written to it`);
    if (!(await isListed(store, key))) throw unexpected(store, `${key} was written but is not listed`);
  } catch (error) {
    // The first failure is the one to report, also when the store fails to clean up.
    await store.delete([key]).catch(() => {});
    throw error;
  }
  await store.delete([key]);
  if ((await store.head(key)) !== undefined) throw unexpected(store, `${key} was removed but is still there`);
}

async function isListed(store: ObjectStore, key: string): Promise<boolean> {
  for await (const object of store.list(key)) if (object.key === key) return true;
  return false;
}

function unexpected(store: ObjectStore, fact: string): StoreError {
  return new StoreError(
    'store_unavailable',
    `Cannot use the store ${store.url}: ${fact}. Check that the server is a complete S3 server or the disk a local one.`,
  );
}
