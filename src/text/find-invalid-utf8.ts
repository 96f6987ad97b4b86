/**
 * Position of the first byte that is not UTF-8, 0-based; undefined where all are. The decoders of the platform only say
 * that something is wrong.
 */
export function findInvalidUtf8(bytes: Uint8Array): number | undefined {
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at] ?? 0;
    if (lead < 0x80) {
      at += 1;
      continue;
    }
    const following =
      lead >= 0xc2 && lead <= 0xdf ? 1 : (lead & 0xf0) === 0xe0 ? 2 : lead >= 0xf0 && lead <= 0xf4 ? 3 : 0;
    if (following === 0 || !isContinued(bytes, at, lead, following)) return at;
    at += following + 1;
  }
  return undefined;
}

function isContinued(bytes: Uint8Array, at: number, lead: number, following: number): boolean {
  for (let offset = 1; offset <= following; offset++) {
    const byte = bytes[at + offset] ?? 0;
    if ((byte & 0xc0) !== 0x80) return false;
  }
  // Overlong forms, halves of surrogate pairs and code points past U+10FFFF.
  const second = bytes[at + 1] ?? 0;
  if (lead === 0xe0) return second >= 0xa0;
  if (lead === 0xed) return second <= 0x9f;
  if (lead === 0xf0) return second >= 0x90;
  if (lead === 0xf4) return second <= 0x8f;
  return true;
}
