import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { JournalEntry } from '../../ledger/journal-entry.ts';

/** Below this size compression costs more time than it saves memory. */
const COMPRESS_FROM_BYTES = 600;
const PLAIN = 0x7b; // "{": an entry that is JSON as it stands

/** Paid replies are the only content in Redis, for as long as their slice is open, and compressed. */
export function encodeEntry(entry: JournalEntry): string | Buffer {
  const json = JSON.stringify(entry);
  return json.length < COMPRESS_FROM_BYTES ? json : zstdCompressSync(json);
}

export function decodeEntry(bytes: Buffer): JournalEntry {
  const json = bytes[0] === PLAIN ? bytes : zstdDecompressSync(bytes);
  return JSON.parse(json.toString()) as JournalEntry;
}
