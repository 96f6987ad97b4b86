import { open } from 'node:fs/promises';
import { NightmillError } from '../errors.ts';
import type { ObjectInfo, ObjectStore } from '../store/object-store.ts';
import type { RandomAccess } from './document-parser.ts';
import { asInputError } from './open-input.ts';

/** A file to read at any place. Dispose of it to close the file. @param source what messages call it */
export async function randomAccessOfFile(path: string, source: string): Promise<RandomAccess & AsyncDisposable> {
  const handle = await open(path).catch((error: unknown) => {
    throw asInputError(error, source);
  });
  const { size } = await handle.stat();
  return {
    byteLength: size,
    read: async (start, end) => {
      const bytes = new Uint8Array(end - start);
      for (let filled = 0; filled < bytes.length; ) {
        const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, start + filled);
        if (bytesRead === 0) throw changed(source, 'cut off');
        filled += bytesRead;
      }
      return bytes;
    },
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

/** An object to read at any place, by ranges. */
export function randomAccessOfObject(store: ObjectStore, { key, bytes: byteLength }: ObjectInfo): RandomAccess {
  return {
    byteLength,
    read: async (start, end) => {
      const bytes = await store.getRange(key, start, end);
      if (bytes === undefined) throw changed(`${key} from ${store.url}`, 'removed');
      return bytes;
    },
  };
}

function changed(source: string, how: string): NightmillError {
  return new NightmillError('input_changed', `Cannot read ${source}: it was ${how} while the input was read.`);
}
