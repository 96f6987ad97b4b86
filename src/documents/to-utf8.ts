import { NightmillError } from '../errors.ts';
import { encodingOfMark } from '../text/decode-text.ts';
import type { Bytes } from './open-input.ts';

const MARK_BYTES = 2;

/**
 * The same text in UTF-8, whatever its encoding: as a byte order mark says (UTF-16), else `encoding`. Text that is said
 * to be UTF-8 is passed on as it is: its reader names the lines that are not.
 *
 * @throws {NightmillError} `input_invalid`: bytes that the encoding does not have
 */
export async function* toUtf8(bytes: Bytes, source: string, encoding?: string): AsyncGenerator<Uint8Array> {
  let decoder: TextDecoder | undefined;
  let label = '';
  let head: Uint8Array | undefined = new Uint8Array(0);
  let position = 0;
  const decode = (chunk?: Uint8Array): Uint8Array => {
    try {
      const text = decoder?.decode(chunk, { stream: chunk !== undefined }) ?? '';
      position += chunk?.length ?? 0;
      return Buffer.from(text);
    } catch (cause) {
      throw new NightmillError(
        'input_invalid',
        `Cannot read ${source} as ${label}: past byte ${position} are bytes that are not. Name another --encoding, or convert the file.`,
        { cause },
      );
    }
  };
  for await (const chunk of bytes) {
    let next = chunk;
    if (head !== undefined) {
      head = Buffer.concat([head, chunk]);
      if (head.length < MARK_BYTES) continue;
      label = encodingOfMark(head) ?? encoding ?? 'utf-8';
      decoder = label === 'utf-8' ? undefined : new TextDecoder(label, { fatal: true });
      next = head;
      head = undefined;
    }
    yield decoder === undefined ? next : decode(next);
  }
  if (head !== undefined && head.length > 0) yield head;
  if (decoder !== undefined) yield decode();
}
