import { splitSentences } from './split-sentences.ts';

/** A text up to this long is embedded whole. */
const WHOLE_CHARS = 500;
/** Chunks of a longer text: the encoder's cost grows with the square of the length. */
const CHUNK_CHARS = 400;

/**
 * Pieces of at most 500 characters that together hold `text`: the whole text where it is that short, else runs of
 * whole sentences of up to 400 characters. A sentence that is longer is cut at a space, or in a word where it has none.
 */
export function chunkText(text: string): readonly string[] {
  if (text.length <= WHOLE_CHARS) return [text];
  const chunks: string[] = [];
  let open = '';
  for (const piece of splitSentences(text).flatMap((sentence) => [...cut(sentence)])) {
    if (open !== '' && open.length + 1 + piece.length > CHUNK_CHARS) {
      chunks.push(open);
      open = '';
    }
    open = open === '' ? piece : `${open} ${piece}`;
  }
  return open === '' ? chunks : [...chunks, open];
}

function* cut(sentence: string): Generator<string> {
  let start = 0;
  while (sentence.length - start > CHUNK_CHARS) {
    const piece = sentence.slice(start, start + CHUNK_CHARS);
    const space = piece.lastIndexOf(' ');
    const end = space > 0 ? space : CHUNK_CHARS;
    yield piece.slice(0, end);
    start += space > 0 ? end + 1 : end;
  }
  yield sentence.slice(start);
}
