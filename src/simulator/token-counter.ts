import { hash } from 'node:crypto';
import { BoundedMap } from './bounded-map.ts';

/** How the simulated provider counts and cuts tokens. */
export interface TokenCounter {
  count(text: string): number;
  /** The text in pieces of about one token; joined they are the text. */
  split(text: string): readonly string[];
}

/** @param kind `exact` loads the o200k vocabulary, about 0.15 s and 60 MB */
export async function createTokenCounter(kind: 'exact' | 'bytes/4'): Promise<TokenCounter> {
  return kind === 'bytes/4' ? BYTE_COUNTER : createExactCounter();
}

const BYTE_COUNTER: TokenCounter = {
  count: (text) => Math.ceil(Buffer.byteLength(text) / 4),
  split: (text) => {
    const pieces: string[] = [];
    let piece = '';
    for (const character of text) {
      piece += character;
      if (Buffer.byteLength(piece) >= 4) {
        pieces.push(piece);
        piece = '';
      }
    }
    if (piece !== '') pieces.push(piece);
    return pieces;
  },
};

/** Counts of this many texts are remembered: a retry or a second model sees the same ones. */
const REMEMBERED_TEXTS = 50_000;
/** Below this, counting costs less than hashing. */
const SHORT_TEXT = 64;
/** The encoder takes quadratic time on one run of a kind; no common text has runs this long. */
const MAX_RUN = 256;
const LONG_RUNS = /[\p{L}\p{M}]{256,}|\s{256,}|[^\p{L}\p{M}\s]{256,}/gu;

async function createExactCounter(): Promise<TokenCounter> {
  const encoder = await import('gpt-tokenizer/encoding/o200k_base');
  // Text such as `<|endoftext|>` in a document is text, not a control token.
  const plainText = { disallowedSpecial: new Set<string>() };
  const counts = new BoundedMap<string, number>(REMEMBERED_TEXTS);
  const countNow = (text: string): number =>
    cutRuns(text).reduce((sum, part) => sum + encoder.countTokens(part, plainText), 0);
  return {
    count: (text) => {
      if (text.length < SHORT_TEXT) return countNow(text);
      const key = hash('md5', text, 'base64');
      const known = counts.get(key);
      if (known !== undefined) return known;
      const count = countNow(text);
      counts.set(key, count);
      return count;
    },
    // The generator holds back the bytes of a character that spans tokens, so every piece is whole characters.
    split: (text) =>
      cutRuns(text)
        .flatMap((part) => [...encoder.decodeGenerator(encoder.encode(part, plainText))])
        .filter((piece) => piece !== ''),
  };
}

/** The text in parts without a long run; only the runs themselves are cut, so other counts stay exact. */
function cutRuns(text: string): readonly string[] {
  if (text.length < MAX_RUN) return [text];
  const parts: string[] = [];
  let end = 0;
  for (const run of text.matchAll(LONG_RUNS)) {
    if (run.index > end) parts.push(text.slice(end, run.index));
    const characters = [...run[0]];
    for (let start = 0; start < characters.length; start += MAX_RUN) {
      parts.push(characters.slice(start, start + MAX_RUN).join(''));
    }
    end = run.index + run[0].length;
  }
  if (end < text.length) parts.push(text.slice(end));
  return parts;
}
