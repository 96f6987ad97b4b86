import type { InputEntry } from './document.ts';
import type { FormatSettings } from './document-parser.ts';
import type { Bytes } from './open-input.ts';

/** A content that is one document as a whole. */
export interface WholeOptions {
  readonly id: string;
  readonly source: string;
  readonly maxBytes: number;
  readonly encoding?: string | undefined;
  readonly formats?: FormatSettings | undefined;
}

/** A whole content, or a problem where it is longer than `maxBytes`. */
export async function readWhole(
  bytes: Bytes,
  { id, source, maxBytes }: Omit<WholeOptions, 'encoding'>,
): Promise<Uint8Array | (InputEntry & { readonly kind: 'problem' })> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of bytes) {
    size += part.length;
    if (size > maxBytes) {
      const message = `The file has more than ${maxBytes} bytes, the most that is allowed`;
      return { kind: 'problem', problem: { code: 'too_large', message, source, id } };
    }
    parts.push(part);
  }
  return Buffer.concat(parts);
}
