import { decodeText, encodingOfMark } from '../text/decode-text.ts';
import { decodeUtf32, detectWideEncoding } from '../text/detect-encoding.ts';
import { findBinaryFormat } from '../text/find-binary-format.ts';
import { quoteValue } from '../text/quote-value.ts';
import { findEmptiness, warningsOfText } from '../text/visible-text.ts';
import type { InputEntry, InputProblemCode } from './document.ts';
import { findIdFault } from './document-id.ts';

/**
 * Makes one document of a whole text file. Problems: `missing_id` where the name cannot be an id, `not_utf8`,
 * `missing_text` where no character of it is seen, `unreadable_file` where it is no text. A byte order mark is dropped; UTF-16 and
 * UTF-32 are read without one too, with a warning.
 *
 * @param encoding where no byte order mark says another; default UTF-8
 * @param id relative path of the file, with forward slashes
 */
export function parseTextFile(
  bytes: Uint8Array,
  { id, source, encoding }: { readonly id: string; readonly source: string; readonly encoding?: string | undefined },
): InputEntry {
  const fault = findIdFault(id);
  if (fault !== undefined) {
    const message = `The file's name cannot be a document id: it ${fault}: ${quoteValue(id)}`;
    return { kind: 'problem', problem: { code: 'missing_id', message, source } };
  }
  const problem = (code: InputProblemCode, message: string): InputEntry => ({
    kind: 'problem',
    problem: { code, message: `The file ${message}`, source, id },
  });
  const binary = findBinaryFormat(bytes);
  if (binary !== undefined)
    return problem('unreadable_file', `is ${binary}, not text: convert it, or name it by its type`);
  const decoded = decodeFile(bytes, encoding);
  if ('fault' in decoded) return problem('not_utf8', decoded.fault);
  const { text, guess } = decoded;
  const empty = findEmptiness(text);
  if (empty !== undefined) return problem('missing_text', empty);
  if (text.includes('\0')) {
    return problem(
      'unreadable_file',
      `has ${text.split('\0').length - 1} NUL characters: it is not text, or in an encoding to be named with --encoding`,
    );
  }
  const warnings = [...(guess === undefined ? [] : [`encoding_guessed: ${guess}`]), ...warningsOfText(text)];
  return { kind: 'document', document: { id, text, ...(warnings.length === 0 ? {} : { warnings }) }, source };
}

function decodeFile(
  bytes: Uint8Array,
  encoding: string | undefined,
): { readonly text: string; readonly guess?: string } | { readonly fault: string } {
  const wide = encoding === undefined && encodingOfMark(bytes) === undefined ? detectWideEncoding(bytes) : undefined;
  const wideMark = bytes[0] === 0xff && bytes[1] === 0xfe && bytes[2] === 0 && bytes[3] === 0;
  if (wideMark || wide?.startsWith('utf-32') === true) {
    const text = decodeUtf32(bytes, wideMark || wide === 'utf-32le');
    if (text !== undefined)
      return {
        text,
        ...(wideMark || (bytes[0] === 0 && bytes[2] === 0xfe)
          ? {}
          : { guess: `read as ${wide}, without a byte order mark` }),
      };
  }
  const found = wide ?? (encoding === undefined && isSevenBitJapanese(bytes) ? 'iso-2022-jp' : undefined);
  const decoded = decodeText(bytes, found ?? encoding);
  if (!('text' in decoded) || found === undefined) return decoded;
  return { ...decoded, guess: `read as ${found}${wide === undefined ? '' : ', without a byte order mark'}` };
}

/** Its marks are control characters, and all other bytes ASCII, so that it would pass for UTF-8. */
function isSevenBitJapanese(bytes: Uint8Array): boolean {
  const start = Buffer.from(bytes.subarray(0, 65_536)).toString('latin1');
  return (start.includes('\x1b$B') || start.includes('\x1b$@')) && !/[\x80-\xff]/.test(start);
}
