import { NightmillError } from '../errors.ts';
import type { ObjectInfo, ObjectStore } from '../store/object-store.ts';
import { decompress } from './decompress.ts';
import { kindOfName, type NameKind } from './document-input.ts';

export interface StoreItem extends NameKind {
  readonly info: ObjectInfo;
  /** The key without the folder that the prefix names. */
  readonly name: string;
}

/** Objects under `prefix` in byte order of key, or the one object with that very key. Placeholders of empty folders are left out. */
export async function* listStorePrefix(store: ObjectStore, prefix: string): AsyncGenerator<StoreItem, void, undefined> {
  const folderLength = prefix.lastIndexOf('/') + 1;
  const itemOf = (info: ObjectInfo): StoreItem => ({
    info,
    name: info.key.slice(folderLength),
    ...kindOfName(info.key),
  });
  const single = prefix === '' || prefix.endsWith('/') ? undefined : await store.head(prefix);
  if (single !== undefined) {
    yield itemOf(single);
    return;
  }
  for await (const info of store.list(prefix)) {
    if (!info.key.endsWith('/')) yield itemOf(info);
  }
}

/**
 * The unpacked bytes of an object.
 *
 * @throws {NightmillError} `input_changed`: it was there when the prefix was listed and is gone now; `input_invalid`: damaged
 */
export async function* openObject(store: ObjectStore, { info, compression }: StoreItem): AsyncGenerator<Uint8Array> {
  const stream = await store.getStream(info.key);
  if (stream === undefined) {
    throw new NightmillError(
      'input_changed',
      `Cannot read ${info.key} from ${store.url}: it was removed while the input was read.`,
    );
  }
  yield* decompress(stream, info.key, compression);
}
