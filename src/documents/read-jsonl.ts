import { NightmillError } from '../errors.ts';
import { type RawLine, splitLines } from '../text/split-lines.ts';
import type { InputEntry } from './document.ts';
import type { FieldMapping } from './field-mapping.ts';
import type { Bytes } from './open-input.ts';
import { parseInputLine } from './parse-input-line.ts';

/**
 * Documents and problems of a JSONL content, a list for each piece read: an entry for every line that is not blank.
 *
 * @throws {NightmillError} `input_invalid`: the content is one JSON array or an object over several lines, so that each
 *   line would be a problem
 */
export async function* readJsonl(
  bytes: Bytes,
  options: { readonly source: string; readonly maxLineBytes: number; readonly fields?: FieldMapping | undefined },
): AsyncGenerator<readonly InputEntry[], void, undefined> {
  const { source, maxLineBytes, fields } = options;
  let isFirst = true;
  for await (const lines of splitLines(bytes, maxLineBytes)) {
    const entries: InputEntry[] = [];
    for (const raw of lines) {
      const entry =
        'bytes' in raw
          ? parseInputLine(raw.bytes, { source, line: raw.line }, fields)
          : tooLarge(raw, source, maxLineBytes);
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
