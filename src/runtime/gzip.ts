import { promisify } from 'node:util';
import zlib from 'node:zlib';

// Up to here it takes a millisecond at most, and handing it to another thread costs as much again.
const MAX_PACKED_AT_ONCE = 32_768;
const MAX_UNPACKED_AT_ONCE = 262_144;
/** The last bytes of a gzip file: the length of what is packed. */
const LENGTH_BYTES = 4;

const gzipBeside: (content: string) => Promise<Uint8Array> = promisify(zlib.gzip);
const gunzipBeside: (packed: Uint8Array) => Promise<Buffer> = promisify(zlib.gunzip);

/** Packs beside the event loop, unless it is little: ten megabytes of text would keep it for 300 ms. Same bytes as `gzipSync`. */
export async function gzip(content: string): Promise<Uint8Array> {
  return content.length > MAX_PACKED_AT_ONCE ? await gzipBeside(content) : zlib.gzipSync(content);
}

/** Unpacks, as {@link gzip} packs. */
export async function gunzip(packed: Uint8Array): Promise<Buffer> {
  return unpackedBytes(packed) > MAX_UNPACKED_AT_ONCE ? await gunzipBeside(packed) : zlib.gunzipSync(packed);
}

/** Not more than the truth: of files put one behind the other, only the last one tells. */
function unpackedBytes(packed: Uint8Array): number {
  if (packed.length < LENGTH_BYTES) return 0;
  return Math.max(
    packed.length,
    new DataView(packed.buffer, packed.byteOffset).getUint32(packed.length - LENGTH_BYTES, true),
  );
}
