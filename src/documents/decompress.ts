import { pipeline, Readable, type Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { NightmillError } from '../errors.ts';
import type { NamedCompression } from './document-input.ts';

/** Bytes of output that come in one piece. */
const OUTPUT_BYTES = 256 * 1024;

const MAGIC: readonly { readonly compression: NamedCompression; readonly bytes: readonly number[] }[] = [
  { compression: 'gzip', bytes: [0x1f, 0x8b] },
  { compression: 'zstd', bytes: [0x28, 0xb5, 0x2f, 0xfd] },
];
const MAGIC_BYTES = 4;

/**
 * Unpacks gzip and zstd, also of several members, by their first bytes, and passes other content on. Holds no more than
 * a few pieces, whatever the ratio of compression. Closes `chunks` when it ends, fails or is left early.
 *
 * @param source for messages
 * @param named what the source's name promises; content that is not so is refused
 * @throws {NightmillError} `input_invalid`: damaged, cut off, followed by other bytes, or not what the name says
 */
export async function* decompress(
  chunks: AsyncIterable<Uint8Array>,
  source: string,
  named?: NamedCompression,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = chunks[Symbol.asyncIterator]();
  try {
    const head = await readHead(reader);
    const found = MAGIC.find(({ bytes }) => bytes.every((byte, index) => head[index] === byte))?.compression;
    if (named !== undefined && found !== named) {
      const seen = found ?? (head.length === 0 ? 'nothing' : `bytes ${head.subarray(0, MAGIC_BYTES).toHex()}`);
      throw new NightmillError(
        'input_invalid',
        `Cannot read ${source} as ${named}: it begins with ${seen}. Compress it again, or give it a name that fits its content.`,
      );
    }
    const all = joinHead(head, reader);
    if (found === undefined) yield* all;
    else yield* unpack(all, source, found);
  } finally {
    await reader.return?.();
  }
}

async function* unpack(
  packed: AsyncIterable<Uint8Array>,
  source: string,
  compression: NamedCompression,
): AsyncGenerator<Uint8Array> {
  const options = { chunkSize: OUTPUT_BYTES };
  const unpacker = compression === 'gzip' ? createGunzip(options) : createZstdDecompress(options);
  let packedBytes = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of packed) {
      packedBytes += chunk.length;
      yield chunk;
    }
  }
  try {
    yield* outputOf(Readable.from(counted(), { objectMode: false }), unpacker);
  } catch (error) {
    if (!isUnpackError(error)) throw error;
    throw new NightmillError(
      'input_invalid',
      `Cannot unpack ${source} as ${compression}: it is damaged or was cut off (${error.message}). Make or fetch the file again.`,
      { cause: error },
    );
  }
  if (packedBytes > unpacker.bytesWritten) {
    throw new NightmillError(
      'input_invalid',
      `Cannot unpack ${source} as ${compression}: ${packedBytes - unpacker.bytesWritten} bytes after its end are not ${compression}. Make or fetch the file again.`,
    );
  }
}

async function* outputOf(input: Readable, unpacker: Transform): AsyncGenerator<Uint8Array> {
  // The callback is needed, else a failure is thrown as an uncaught error; the loop below meets the same failure.
  pipeline(input, unpacker, () => {});
  for await (const chunk of unpacker) yield chunk as Uint8Array;
}

function isUnpackError(error: unknown): error is Error {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code.startsWith('Z_') || code.startsWith('ZSTD_');
}

async function readHead(reader: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let bytes = 0; bytes < MAGIC_BYTES; ) {
    const next = await reader.next();
    if (next.done === true) break;
    parts.push(next.value);
    bytes += next.value.length;
  }
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
}

async function* joinHead(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (head.length > 0) yield head;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}
