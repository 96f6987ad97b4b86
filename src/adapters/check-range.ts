import { StoreError } from '../errors.ts';

/** Refuses a range that came shorter or longer than asked for, as of an object that was replaced meanwhile. */
export function checkRange(bytes: Uint8Array, key: string, start: number, end: number, url: string): Uint8Array {
  if (bytes.length === end - start) return bytes;
  throw new StoreError(
    'store_unavailable',
    `Cannot read ${key} from ${url}: bytes ${start} to ${end} were asked for and ${bytes.length} came. Was it replaced meanwhile?`,
  );
}
