import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { constants, zstdCompressSync } from 'node:zlib';

/**
 * Packs the character maps of pdfjs-dist, the version that unpdf is built from, into the one file that the PDF reader opens:
 * `npm pack pdfjs-dist@VERSION`, unpack it, then `node scripts/pack-cmaps.ts package/cmaps`.
 *
 * The file, compressed with zstd: the length of the index as 32 bits, the index as JSON (name to offset and length), the maps.
 */
const [folder = 'package/cmaps'] = process.argv.slice(2);
const names = readdirSync(folder).filter((name) => name.endsWith('.bcmap'));
const maps = names.sort().map((name) => readFileSync(join(folder, name)));
let offset = 0;
const index = names.map((name, at) => {
  const length = maps[at]?.length ?? 0;
  offset += length;
  return [name, [offset - length, length]] as const;
});
const head = Buffer.from(JSON.stringify(Object.fromEntries(index)));
const size = Buffer.alloc(4);
size.writeUInt32LE(head.length);
const packed = zstdCompressSync(Buffer.concat([size, head, ...maps]), {
  params: { [constants.ZSTD_c_compressionLevel]: 19 },
});
writeFileSync(fileURLToPath(new URL('../src/adapters/document-parser/cmaps.zst', import.meta.url)), packed);
