import type { ReplyText } from '../../prompts/question.ts';

/**
 * Probability that the model gave to the label it wrote: the product over the tokens that spell it inside the reply.
 * Undefined where the provider gave no log-probabilities or they do not line up with the text.
 */
export function labelProbability(reply: ReplyText, label: string): number | undefined {
  const { tokens, text } = reply;
  if (tokens === undefined || tokens.length === 0) return undefined;
  const quoted = JSON.stringify(label).slice(1, -1);
  const start = text.indexOf(quoted, Math.max(0, text.indexOf('"label"') + '"label"'.length));
  if (start === -1 || tokens.map((token) => token.token).join('') !== text) return undefined;
  const end = start + quoted.length;
  let offset = 0;
  let sum = 0;
  for (const { token, logprob } of tokens) {
    const tokenEnd = offset + token.length;
    if (tokenEnd > start && offset < end) sum += logprob;
    offset = tokenEnd;
  }
  return Number.isFinite(sum) ? Math.min(1, Math.exp(sum)) : undefined;
}
