import type { ReplyText } from '../../prompts/question.ts';
import { type ByteSpan, SPELLINGS, sumInside } from '../token-logprobs.ts';

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

/** Inside the reply where the tokens spell it, else behind the last "label" key, else where the label is alone. */
function labelSpan(all: Buffer, text: string, label: string): ByteSpan | undefined {
  const trimmed = text.trim();
  const offset = trimmed === '' ? -1 : all.lastIndexOf(trimmed);
  const from = Math.max(0, offset);
  const to = offset === -1 ? all.length : offset + Buffer.byteLength(trimmed);
  const part = all.subarray(from, to).toString('latin1');
  // The label's own value: the same word may occur again in a reason behind it, or in thinking before it.
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
