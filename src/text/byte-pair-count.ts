import { loadVocabulary, NO_RANK, type Vocabulary } from './vocabulary.ts';

/** Longest piece that is counted in one go, in UTF-16 units: the time per byte grows with it. */
export const MAX_PIECE_UNITS = 256;
const MAX_PIECE_BYTES = 3 * MAX_PIECE_UNITS;
const MAX_LOOPED_UNITS = 24;
const MAX_ASCII = 0x7f;
const PAIR_CACHE_BITS = 16;

let vocabulary: Vocabulary | undefined;

// Work space of one count; counting is synchronous, so one is enough. Token `i` of the piece reaches from `starts[i]`
// to `starts[i + 1]`; `pairRanks[i]` is the rank of the token that it and the next one would make.
const bytes = Buffer.alloc(MAX_PIECE_BYTES);
const starts = new Int32Array(MAX_PIECE_BYTES + 1);
const ids = new Int32Array(MAX_PIECE_BYTES);
const pairRanks = new Int32Array(MAX_PIECE_BYTES);
// Ranks of pairs looked up before, the last one of each slot: ten times faster than looking up their bytes.
const cachedLeft = new Int32Array(1 << PAIR_CACHE_BITS).fill(-1);
const cachedRight = new Int32Array(1 << PAIR_CACHE_BITS);
const cachedRank = new Int32Array(1 << PAIR_CACHE_BITS);

/** @param piece at most {@link MAX_PIECE_UNITS} */
export function isOneToken(piece: string): boolean {
  vocabulary ??= loadVocabulary();
  return vocabulary.rankOf(bytes, 0, writeBytes(piece)) !== NO_RANK;
}

/**
 * Tokens that the o200k_base vocabulary makes of one pre-split piece of text, by byte pair encoding: again and
 * again the neighbouring pair of lowest rank, the leftmost first, becomes one token.
 *
 * @param piece at most {@link MAX_PIECE_UNITS}; a lone surrogate counts as U+FFFD
 */
export function countBytePairs(piece: string): number {
  vocabulary ??= loadVocabulary();
  const length = writeBytes(piece);
  if (vocabulary.rankOf(bytes, 0, length) !== NO_RANK) return 1;

  let count = length;
  for (let index = 0; index < count; index++) {
    starts[index] = index;
    ids[index] = vocabulary.idOfByte(bytes[index] as number);
  }
  starts[count] = count;
  for (let index = 0; index < count - 1; index++) pairRanks[index] = rankOfPair(vocabulary, index);

  while (count > 1) {
    let lowest = NO_RANK;
    let at = -1;
    for (let index = 0; index < count - 1; index++) {
      const rank = pairRanks[index] as number;
      if (rank < lowest) {
        lowest = rank;
        at = index;
      }
    }
    if (at === -1) break;
    ids[at] = lowest;
    starts.copyWithin(at + 1, at + 2, count + 1);
    ids.copyWithin(at + 1, at + 2, count);
    pairRanks.copyWithin(at, at + 1, count - 1);
    count--;
    if (at < count - 1) pairRanks[at] = rankOfPair(vocabulary, at);
    if (at > 0) pairRanks[at - 1] = rankOfPair(vocabulary, at - 1);
  }
  return count;
}

/** Writes `piece` into `bytes`. Most pieces are short and ASCII: for them, a loop takes less time than a native call. */
function writeBytes(piece: string): number {
  if (piece.length > MAX_LOOPED_UNITS) return bytes.write(piece, 'utf8');
  for (let index = 0; index < piece.length; index++) {
    const unit = piece.charCodeAt(index);
    if (unit > MAX_ASCII) return bytes.write(piece, 'utf8');
    bytes[index] = unit;
  }
  return piece.length;
}

function rankOfPair(vocabulary: Vocabulary, index: number): number {
  const left = ids[index] as number;
  const right = ids[index + 1] as number;
  const slot = (Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b)) >>> (32 - PAIR_CACHE_BITS);
  if (cachedLeft[slot] === left && cachedRight[slot] === right) return cachedRank[slot] as number;
  const rank = vocabulary.rankOf(bytes, starts[index] as number, starts[index + 2] as number);
  cachedLeft[slot] = left;
  cachedRight[slot] = right;
  cachedRank[slot] = rank;
  return rank;
}
