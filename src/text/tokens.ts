import { O200K_TOKEN_SPLIT_REGEX } from 'gpt-tokenizer/encodingParams/constants';
import type { Steps } from '../runtime/steps.ts';
import { countBytePairs, isOneToken, MAX_PIECE_UNITS } from './byte-pair-count.ts';

/** Text is split this much at a time, so that the list of pieces stays small. */
const WINDOW_UNITS = 32_768;
/**
 * V8 copies slices below 13 units; longer ones keep the whole document that they came from alive, so they are
 * never kept in the cache.
 */
const MAX_CACHED_UNITS = 12;
const MAX_CACHED_PIECES = 16_384;

/** Of pieces of several tokens: finding that a piece is one token takes no longer than finding it here. */
const cachedCounts = new Map<string, number>();

/**
 * Tokens of `text` in the o200k_base encoding, in time linear in its length whatever the text is. Special tokens such
 * as `<|endoftext|>` are counted as the plain text that a provider makes of them in a message.
 *
 * Exact, but for runs without a break longer than 256 UTF-16 units (spaces, one letter again and again, Chinese without
 * punctuation): those are encoded in parts, and each cut adds one token. Parting a run changes its count by less than
 * that in 99.96 % of random cuts and by three tokens at worst, most often upwards, so the count of a cut run is the true
 * one or slightly above: 0.4 % for Chinese, 3 % for letters, 50 % for spaces, of which 128 are one token.
 */
export function countTokens(text: string): number {
  const place = { at: 0, tokens: 0 };
  while (place.at < text.length) countWindow(text, place);
  return place.tokens;
}

/** The same count, yielding after every 32,768 units. */
export function* countTokensInSteps(text: string): Steps<number> {
  const place = { at: 0, tokens: 0 };
  while (place.at < text.length) {
    countWindow(text, place);
    yield;
  }
  return place.tokens;
}

/** Counts on from `place.at` and moves it. */
function countWindow(text: string, place: { at: number; tokens: number }): void {
  const end = cutBefore(text, place.at + WINDOW_UNITS);
  const pieces = text.slice(place.at, end).match(O200K_TOKEN_SPLIT_REGEX) ?? [];
  // Where a window ends inside a piece its last two pieces may be wrong (`don` + `'` of `don't`): the next window
  // begins with them. Fewer than three pieces are one endless run, which is cut anyway.
  const whole = end === text.length || pieces.length < 3;
  const kept = whole ? pieces.length : pieces.length - 2;
  if (whole && end < text.length) place.tokens++;
  for (let index = 0; index < kept; index++) {
    const piece = pieces[index] as string;
    place.tokens += countPiece(piece);
    place.at += piece.length;
  }
}

function countPiece(piece: string): number {
  if (piece.length > MAX_CACHED_UNITS) return countLongPiece(piece);
  if (isOneToken(piece)) return 1;
  const cached = cachedCounts.get(piece);
  if (cached !== undefined) return cached;
  const count = countBytePairs(piece);
  if (cachedCounts.size >= MAX_CACHED_PIECES) cachedCounts.clear();
  cachedCounts.set(piece, count);
  return count;
}

function countLongPiece(piece: string): number {
  let total = 0;
  let start = 0;
  while (start < piece.length) {
    const end = cutBefore(piece, start + MAX_PIECE_UNITS);
    total += countBytePairs(piece.slice(start, end)) + (start > 0 ? 1 : 0);
    start = end;
  }
  return total;
}

/** `index`, one less where it would part a surrogate pair, and never past the end of `text`. */
function cutBefore(text: string, index: number): number {
  if (index >= text.length) return text.length;
  const parts = isLowSurrogate(text.charCodeAt(index)) && isHighSurrogate(text.charCodeAt(index - 1));
  return parts ? index - 1 : index;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
