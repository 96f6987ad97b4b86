import type { InputEntry } from '../domain/document.ts';
import { parseTextFile } from '../domain/parse-text-file.ts';
import type { Bytes } from './open-input.ts';

/** Makes one document of a whole content; one longer than `maxBytes` is a problem, and is not held. */
export async function readText(
  bytes: Bytes,
  { id, source, maxBytes }: { readonly id: string; readonly source: string; readonly maxBytes: number },
): Promise<InputEntry> {
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
  return parseTextFile(Buffer.concat(parts), { id, source });
}
