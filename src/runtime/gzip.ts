import { promisify } from 'node:util';
import zlib from 'node:zlib';

/** Packs and unpacks beside the event loop: ten megabytes of text would keep it for 300 ms. Same bytes as `gzipSync`. */
export const gzip: (content: string) => Promise<Uint8Array> = promisify(zlib.gzip);
export const gunzip: (packed: Uint8Array) => Promise<Buffer> = promisify(zlib.gunzip);
