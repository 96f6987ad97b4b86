import type { ReplyText } from '../../prompts/question.ts';
import { isRecord, parseJson } from '../../text/json-value.ts';
import { answerPart } from '../answer-part.ts';
import { objectsIn } from '../json-spans.ts';
import { SPELLINGS, sumInside } from '../token-logprobs.ts';
import { jsonLeaves } from './json-leaves.ts';

/**
 * The probability that the model gave to each field: of its value's tokens, and in a list or an object that of the value
 * which is least sure.
 *
 * @returns undefined where the provider gave no log-probabilities, or they do not spell the reply as it was read
 */
export function fieldConfidences(
  reply: ReplyText,
  names: readonly string[],
): Readonly<Record<string, number>> | undefined {
  const { tokens, text } = reply;
  if (tokens === undefined || tokens.length === 0) return undefined;
  const span = objectsIn(answerPart(text)).find((one) => hasFields(parseJson(one)));
  if (span === undefined) return undefined;
  for (const spell of SPELLINGS) {
    const spelled = tokens.map(spell);
    const start = Buffer.concat(spelled).lastIndexOf(span);
    if (start === -1) continue;
    const sums = new Map<string, number>();
    for (const { path, from, to } of jsonLeaves(span)) {
      const [wrapper, name] = path;
      if (wrapper !== 'fields' || typeof name !== 'string' || !names.includes(name)) continue;
      const at = (units: number) => start + Buffer.byteLength(span.slice(0, units));
      const sum = sumInside(spelled, tokens, { start: at(from), end: at(to) });
      sums.set(name, Math.min(sums.get(name) ?? 0, sum));
    }
    const all = [...sums].map(([name, sum]) => [name, Math.min(1, Math.exp(sum))] as const);
    return all.length === 0 || all.some(([, one]) => !Number.isFinite(one)) ? undefined : Object.fromEntries(all);
  }
  return undefined;
}

function hasFields(value: unknown): boolean {
  return isRecord(value) && isRecord(value.fields);
}
