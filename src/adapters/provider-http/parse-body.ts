import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import { parseJson } from '../../text/json-value.ts';
import { joinEvents } from './join-events.ts';

/** Proxies behind each other may have compressed it twice. */
const MAX_LAYERS = 3;

/**
 * The JSON of a reply's body, also where it begins with a byte order mark, is alone in a list or came as an event stream. Undefined: it is none.
 *
 * @param body as `unpackBody` gives it
 */
export function parseBody(body: Buffer): unknown {
  const text = decode(body).replace(/^\uFEFF/, '');
  const parsed = parseJson(text);
  if (Array.isArray(parsed) && parsed.length === 1) return parsed[0];
  return parsed === undefined && /^\s*(?:data|event|id|retry|:)/.test(text) ? joinEvents(text) : parsed;
}

function decode(body: Buffer): string {
  if (body[0] === 0xff && body[1] === 0xfe) return body.toString('utf16le');
  return body.toString();
}

/** What a server has compressed, whether it was asked to or not, and whether or not it says so. */
export function unpackBody(body: Buffer, headers: Readonly<Record<string, string>>, maxBytes: number): Buffer {
  const encodings = (headers['content-encoding'] ?? '').toLowerCase();
  let unpacked = body;
  for (let layer = 0; layer < MAX_LAYERS; layer++) {
    const next = unpack(unpacked, encodings, maxBytes);
    if (next === undefined) return unpacked;
    unpacked = next;
  }
  return unpacked;
}

function unpack(body: Buffer, encodings: string, maxOutputLength: number): Buffer | undefined {
  const options = { maxOutputLength };
  if (body[0] === 0x1f && body[1] === 0x8b) return attempt(() => gunzipSync(body, options));
  if (body.length >= 4 && body.readUInt32LE(0) === 0xfd2fb528) return attempt(() => zstdDecompressSync(body, options));
  // Neither has a mark of its own, and the header may say what a proxy has already undone.
  if (encodings === '' || /^\s*[[{<]/.test(body.subarray(0, 16).toString('latin1'))) return undefined;
  const inflated = () => attempt(() => inflateSync(body, options)) ?? attempt(() => inflateRawSync(body, options));
  if (/\bbr\b/.test(encodings)) return attempt(() => brotliDecompressSync(body, options)) ?? undefined;
  return encodings.includes('deflate') ? inflated() : undefined;
}

function attempt(decompress: () => Buffer): Buffer | undefined {
  try {
    return decompress();
  } catch {
    return undefined;
  }
}
