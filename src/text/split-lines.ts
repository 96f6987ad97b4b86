const LINE_FEED = 10;

/** A line without its line feed, or only its size where it is too long to hold. */
export type RawLine =
  | { readonly line: number; readonly bytes: Uint8Array }
  | { readonly line: number; readonly tooLargeBytes: number };

/**
 * Cuts bytes into lines, a list for each chunk that ends some. Memory holds one chunk and one line; a line longer than
 * `maxLineBytes` is not even held. The bytes of a line are only good until the next list is asked for.
 */
export async function* splitLines(
  chunks: AsyncIterable<Uint8Array>,
  maxLineBytes: number,
): AsyncGenerator<readonly RawLine[], void, undefined> {
  let line = 1;
  // The beginning of the current line, from chunks before; dropped once it is too long.
  let begun: Uint8Array[] = [];
  let begunBytes = 0;

  const finish = (rest: Uint8Array): RawLine => {
    const bytes = begunBytes + rest.length;
    const joined = begun.length === 0 ? rest : Buffer.concat([...begun, rest]);
    begun = [];
    begunBytes = 0;
    return bytes > maxLineBytes ? { line: line++, tooLargeBytes: bytes } : { line: line++, bytes: joined };
  };

  for await (const chunk of chunks) {
    const lines: RawLine[] = [];
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      lines.push(finish(chunk.subarray(start, end)));
      start = end + 1;
    }
    if (start < chunk.length) {
      begunBytes += chunk.length - start;
      if (begunBytes > maxLineBytes) begun = [];
      else begun.push(chunk.subarray(start));
    }
    if (lines.length > 0) yield lines;
  }
  if (begunBytes > 0) yield [finish(new Uint8Array(0))];
}
