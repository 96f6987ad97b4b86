import { NightmillError } from '../errors.ts';
import { encodingOfMark } from '../text/decode-text.ts';
import type { Bytes } from './open-input.ts';

const MARK_BYTES = 4;

/**
 * The same text in UTF-8, whatever its encoding: as a byte order mark says (UTF-16), else `encoding`, else UTF-16 where every second
 * of the first bytes is 0. Text that is said
 * to be UTF-8 is passed on as it is: its reader names the lines that are not.
 *
 * @throws {NightmillError} `input_invalid`: bytes that the encoding does not have, UTF-32
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
      refuseUtf32(head, source);
      label = encodingOfMark(head) ?? encoding ?? wideEncodingOf(head) ?? 'utf-8';
      decoder = label === 'utf-8' ? undefined : new TextDecoder(label, { fatal: true });
      next = head;
      head = undefined;
    }
    yield decoder === undefined ? next : decode(next);
  }
  if (head !== undefined && head.length > 0) {
    const mark = encodingOfMark(head) ?? encoding ?? 'utf-8';
    yield mark === 'utf-8' ? head : Buffer.from(new TextDecoder(mark).decode(head));
  }
  if (decoder !== undefined) yield decode();
}

/** UTF-16 without a mark: JSON and tables begin with two characters of ASCII, so every second byte is 0. */
function wideEncodingOf([first, second, third, fourth]: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  if (first !== 0 && second === 0 && third !== 0 && fourth === 0) return 'utf-16le';
  return first === 0 && second !== 0 && third === 0 && fourth !== 0 ? 'utf-16be' : undefined;
}

function refuseUtf32([first, second, third, fourth]: Uint8Array, source: string): void {
  const little = second === 0 && third === 0 && fourth === 0 && first !== 0;
  const big = first === 0 && second === 0 && third === 0 && fourth !== 0;
  const marked =
    (first === 0xff && second === 0xfe && third === 0 && fourth === 0) ||
    (first === 0 && second === 0 && third === 0xfe);
  if (!little && !big && !marked) return;
  throw new NightmillError(
    'input_invalid',
    `Cannot read ${source}: it is UTF-32 text. Convert it: iconv -f UTF-32 -t UTF-8.`,
  );
}
