import type { InputEntry } from '../domain/document.ts';
import { parseInputLine } from '../domain/parse-input-line.ts';
import { NightmillError } from '../errors.ts';
import type { Bytes } from './open-input.ts';
import { type RawLine, splitLines } from './split-lines.ts';

/**
 * Documents and problems of a JSONL content, a list for each piece read: an entry for every line that is not blank.
 *
 * @throws {NightmillError} `input_invalid`: the content is UTF-16 or one JSON array, so that each line would be a problem
 */
export async function* readJsonl(
  bytes: Bytes,
  { source, maxLineBytes }: { readonly source: string; readonly maxLineBytes: number },
): AsyncGenerator<readonly InputEntry[], void, undefined> {
  let isFirst = true;
  for await (const lines of splitLines(bytes, maxLineBytes)) {
    const entries: InputEntry[] = [];
    for (const raw of lines) {
      const entry =
        'bytes' in raw ? parseInputLine(raw.bytes, { source, line: raw.line }) : tooLarge(raw, source, maxLineBytes);
      if (entry === undefined) continue;
      if (isFirst && entry.kind === 'problem' && 'bytes' in raw) refuseOtherFormats(raw.bytes, source);
      isFirst = false;
      entries.push(entry);
    }
    yield entries;
  }
}

function tooLarge(
  { line, tooLargeBytes }: Extract<RawLine, { tooLargeBytes: number }>,
  source: string,
  limit: number,
): InputEntry {
  const message = `The line has ${tooLargeBytes} bytes; at most ${limit} are allowed`;
  return { kind: 'problem', problem: { code: 'too_large', message, source, line } };
}

function refuseOtherFormats(firstLine: Uint8Array, source: string): void {
  const [first, second] = firstLine;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    throw new NightmillError(
      'input_invalid',
      `Cannot read ${source}: it is UTF-16 text, as some Windows programs write. Convert it: iconv -f UTF-16 -t UTF-8.`,
    );
  }
  const start = Buffer.from(firstLine.subarray(0, 64)).toString('utf8').trim();
  if (start.startsWith('[')) {
    throw new NightmillError(
      'input_invalid',
      `Cannot read ${source} as JSONL: it is one JSON array, beginning with ${JSON.stringify(start.slice(0, 20).toWellFormed())}. Write one object a line: jq -c '.[]' FILE.`,
    );
  }
  if (start === '{') {
    throw new NightmillError(
      'input_invalid',
      `Cannot read ${source} as JSONL: its first object spans several lines. Write one object a line: jq -c . FILE.`,
    );
  }
}
