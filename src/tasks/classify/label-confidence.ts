import type { ReplyText, TokenLogprob } from '../../prompts/question.ts';

/**
 * Probability that the model gave to the label it wrote: the product over the tokens that spell it inside the reply.
 * Compared as bytes, since a token may hold half a character, and the list may have more than the text: an end token,
 * thinking, a space that the server took away.
 *
 * @returns undefined where the provider gave no log-probabilities or they do not spell the text
 */
export function labelProbability(reply: ReplyText, label: string): number | undefined {
  const { tokens, text } = reply;
  if (tokens === undefined || tokens.length === 0) return undefined;
  for (const spell of SPELLINGS) {
    const spelled = tokens.map(spell);
    const span = labelSpan(Buffer.concat(spelled), text, label);
    if (span === undefined) continue;
    const sum = sumInside(spelled, tokens, span);
    return Number.isFinite(sum) ? Math.min(1, Math.exp(sum)) : undefined;
  }
  return undefined;
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** Inside the reply where the tokens spell it, else behind the last "label" key, else where the label stands alone. */
function labelSpan(all: Buffer, text: string, label: string): Span | undefined {
  const trimmed = text.trim();
  const offset = trimmed === '' ? -1 : all.lastIndexOf(trimmed);
  const from = Math.max(0, offset);
  const to = offset === -1 ? all.length : offset + Buffer.byteLength(trimmed);
  const part = all.subarray(from, to).toString('latin1');
  // The label's own value: the same word may stand again in a reason behind it, or in thinking before it.
  const [key] = [...part.matchAll(/["'](?:label)["']\s*:/gi)].slice(-1);
  const escaped = JSON.stringify(label).slice(1, -1);
  const asAscii = escaped.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  for (const written of [escaped, label, asAscii]) {
    const bytes = Buffer.from(written).toString('latin1');
    const at = part.indexOf(bytes, key === undefined ? 0 : key.index + key[0].length);
    const isAlone = key !== undefined || (offset !== -1 ? at !== -1 : at !== -1 && part.lastIndexOf(bytes) === at);
    if (bytes !== '' && at !== -1 && isAlone) return { start: from + at, end: from + at + bytes.length };
  }
  return undefined;
}

function sumInside(spelled: readonly Buffer[], tokens: readonly TokenLogprob[], { start, end }: Span): number {
  let position = 0;
  let sum = 0;
  for (const [index, bytes] of spelled.entries()) {
    const next = position + bytes.length;
    if (next > start && position < end) sum += tokens[index]?.logprob ?? 0;
    position = next;
  }
  return sum;
}

/** How servers write a token that is no text of its own, where they send no bytes; tried in this order. */
const SPELLINGS: readonly ((token: TokenLogprob) => Buffer)[] = [
  // SentencePiece writes a space as U+2581.
  ({ token, bytes }) => (bytes === undefined ? Buffer.from(token.replaceAll('\u2581', ' ')) : Buffer.from(bytes)),
  // `\xe6\x8a`, `<0xE6>`
  ({ token, bytes }) => (bytes === undefined ? fromHex(token.replaceAll('\u2581', ' ')) : Buffer.from(bytes)),
  // GPT-2's letters for bytes: `Ġ` is a space.
  ({ token, bytes }) => (bytes === undefined ? fromByteLetters(token) : Buffer.from(bytes)),
];

function fromHex(token: string): Buffer {
  const [first = '', ...others] = token.split(/(?=\\x[0-9a-f]{2}|<0x[0-9a-f]{2}>)/i);
  const parts = [first, ...others].map((part) => {
    const [written, hex] = /^(?:\\x|<0x)([0-9a-f]{2})>?/i.exec(part) ?? [];
    if (written === undefined || hex === undefined) return Buffer.from(part);
    return Buffer.concat([Buffer.from(hex, 'hex'), Buffer.from(part.slice(written.length))]);
  });
  return Buffer.concat(parts);
}

/** Printable bytes stand for themselves; the others, in order, for the letters from U+0100 on. */
const BYTE_LETTERS: ReadonlyMap<string, number> = (() => {
  const letters = new Map<string, number>();
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    const isPrintable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte !== 0xad);
    letters.set(String.fromCharCode(isPrintable ? byte : next++), byte);
  }
  return letters;
})();

function fromByteLetters(token: string): Buffer {
  return Buffer.concat(
    [...token].map((letter) => {
      const byte = BYTE_LETTERS.get(letter);
      return byte === undefined ? Buffer.from(letter) : Buffer.of(byte);
    }),
  );
}
