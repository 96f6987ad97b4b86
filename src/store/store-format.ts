import { NightmillError, StoreError } from '../errors.ts';
import type { ObjectStore } from './object-store.ts';

/** As for Redis: goes up only where a process of the version before would read an object wrongly. */
const STORE_FORMAT = 1;
const KEY = 'format.json';

/**
 * Refuses a store that another format has been written to, and stamps one that has no number yet. A store that is out of
 * reach is not a matter of its format: whoever needs an object of it will say so.
 *
 * @throws {NightmillError} `format_other`
 */
export async function checkStoreFormat(store: ObjectStore, version: string): Promise<void> {
  try {
    const bytes = await store.get(KEY);
    if (bytes === undefined) return await store.put(KEY, Buffer.from(`${JSON.stringify({ format: STORE_FORMAT })}\n`));
    const found = readFormat(Buffer.from(bytes).toString());
    if (found === STORE_FORMAT) return;
    throw otherFormat({
      what: `The store ${store.url}`,
      found,
      ours: STORE_FORMAT,
      version,
      more: 'name another store',
    });
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
  }
}

function readFormat(text: string): number | undefined {
  try {
    const { format } = JSON.parse(text) as { format?: unknown };
    return typeof format === 'number' ? format : undefined;
  } catch {
    return undefined;
  }
}

/** One sentence, in both directions. */
export function otherFormat(data: {
  readonly what: string;
  readonly found: number | undefined;
  readonly ours: number;
  readonly version: string;
  readonly more: string;
}): NightmillError {
  const { what, found, ours, version, more } = data;
  const cure =
    found !== undefined && found > ours
      ? 'start a newer version of nightmill here'
      : 'let the version of nightmill that wrote it finish its batches';
  return new NightmillError(
    'format_other',
    `${what} has data of format ${found ?? 'unknown'} and nightmill ${version} reads format ${ours}: ${cure}, or ${more}.`,
  );
}
