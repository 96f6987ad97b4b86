import type { ReplyText } from '../../prompts/question.ts';

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
  const quoted = JSON.stringify(label).slice(1, -1);
  const written = [quoted, label].find((each) => text.includes(each));
  if (written === undefined) return undefined;
  // The label's own value: the same word may stand again in a reason behind it, or in thinking before it.
  const key = text.toLowerCase().lastIndexOf('"label"');
  const at = text.indexOf(written, key === -1 ? 0 : key + '"label"'.length);
  if (at === -1) return undefined;
  const spelled = tokens.map(bytesOf);
  const all = Buffer.concat(spelled);
  const trimmed = text.trim();
  const offset = all.lastIndexOf(Buffer.from(trimmed));
  if (offset === -1) return undefined;
  const lead = text.length - text.trimStart().length;
  const start = offset + Buffer.byteLength(text.slice(lead, at));
  const end = start + Buffer.byteLength(written);
  let position = 0;
  let sum = 0;
  for (const [index, bytes] of spelled.entries()) {
    const next = position + bytes.length;
    if (next > start && position < end) sum += tokens[index]?.logprob ?? 0;
    position = next;
  }
  return Number.isFinite(sum) ? Math.min(1, Math.exp(sum)) : undefined;
}

/** SentencePiece writes a space as U+2581. */
function bytesOf({ token, bytes }: { readonly token: string; readonly bytes?: readonly number[] }): Buffer {
  return bytes === undefined ? Buffer.from(token.replaceAll('\u2581', ' ')) : Buffer.from(bytes);
}
