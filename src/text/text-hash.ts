import { createHash } from 'node:crypto';

export const TEXT_HASH_BYTES = 12;

/** The first 96 bits of a text's sha256. Two different texts of ten million are taken for equal with a chance of 6e-16. */
export function textHash(text: string): Uint8Array {
  return createHash('sha256').update(text).digest().subarray(0, TEXT_HASH_BYTES);
}
