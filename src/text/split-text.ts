import { CUT_STRENGTH } from './text-blocks.ts';
import { countTokens } from './tokens.ts';

/** A place where a text may be cut, and how well. */
export interface CutPoint {
  /** UTF-16 offset, never inside a grapheme. */
  readonly at: number;
  readonly strength: number;
}

// No language is known, and `und` rules are those of Unicode: sentences end at . ! ? 。 and at line ends.
const sentences = new Intl.Segmenter('und', { granularity: 'sentence' });
const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' });

/** A longer grapheme is no writing but an attack (a letter with a million accents); it may be cut between code points. */
const MAX_GRAPHEME_UNITS = 256;

/** Marks that open what follows: brackets and quotes. The segmenter takes those of East Asia for the end of the sentence before. */
const OPENING = /[\p{Ps}\p{Pi}]+$/u;
const MAX_OPENING_UNITS = 8;

/** Where sentences and lines of `text[from, to)` begin, `from` itself left out. */
export function* findSentenceStarts(text: string, from: number, to: number): Generator<number> {
  for (const { index } of sentences.segment(text.slice(from, to))) {
    if (index === 0) continue;
    const at = from + index;
    const opened = OPENING.exec(text.slice(Math.max(from, at - MAX_OPENING_UNITS), at))?.[0].length ?? 0;
    if (at - opened > from) yield at - opened;
  }
}

/**
 * Cuts of a run without better places into pieces of at most `maxUnits` UTF-16 units, before words where there are
 * any, else between graphemes. One grapheme longer than `maxUnits` stays whole up to 256 units and `maxTokens` tokens.
 *
 * @param from a place between graphemes; itself left out of the result
 */
export function* findCutsInRun(
  text: string,
  from: number,
  to: number,
  { maxUnits, maxTokens }: { readonly maxUnits: number; readonly maxTokens: number },
): Generator<CutPoint> {
  let start = from;
  while (to - start > maxUnits) {
    const word = lastWordStart(text, start, start + maxUnits);
    const cut: CutPoint =
      word === undefined
        ? { at: graphemeCut(text, start, start + maxUnits, to, maxTokens), strength: CUT_STRENGTH.grapheme }
        : { at: word, strength: CUT_STRENGTH.word };
    if (cut.at >= to) return;
    yield cut;
    start = cut.at;
  }
}

/** The last place in the second half of `text[start, limit]` where a word follows a space. */
function lastWordStart(text: string, start: number, limit: number): number | undefined {
  const lowest = start + Math.ceil((limit - start) / 2);
  for (let at = limit; at > lowest; at--) {
    // Spaces do not join the next character unless it is a mark, which ASCII is not.
    if (text.charCodeAt(at - 1) === 0x20 && text.charCodeAt(at) > 0x20 && text.charCodeAt(at) < 0x7f) return at;
  }
  return undefined;
}

/** The last place between graphemes in `(start, limit]`, or after the first grapheme where that one is longer. */
function graphemeCut(text: string, start: number, limit: number, to: number, maxTokens: number): number {
  if (isPlainAscii(text.charCodeAt(limit - 1)) && isPlainAscii(text.charCodeAt(limit))) return limit;
  const segments = graphemes.segment(text.slice(start, Math.min(to, limit + MAX_GRAPHEME_UNITS)));
  const segment = segments.containing(limit - start);
  if (segment === undefined) return limit;
  if (segment.index > 0) return start + segment.index;
  const grapheme = segment.segment;
  if (grapheme.length <= MAX_GRAPHEME_UNITS && countTokens(grapheme) <= maxTokens) return start + grapheme.length;
  return avoidSurrogatePair(text, start, limit);
}

function isPlainAscii(unit: number): boolean {
  return unit >= 0x20 && unit < 0x7f;
}

function avoidSurrogatePair(text: string, start: number, limit: number): number {
  const parts = (text.charCodeAt(limit) & 0xfc00) === 0xdc00 && (text.charCodeAt(limit - 1) & 0xfc00) === 0xd800;
  if (!parts) return limit;
  return limit - 1 > start ? limit - 1 : limit + 1;
}
