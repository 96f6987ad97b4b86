import type { ReplyText } from '../../prompts/question.ts';
import { keyOf, parseJsonReply } from '../parse-json-reply.ts';

export interface StatedLabel {
  /** As the reply has it. */
  readonly written: string;
  /** 0 to 1; absent where the reply states none that can be read. */
  readonly confidence?: number;
}

/** Longer texts are no label alone, but an explanation that may name several. */
const MAX_BARE_CHARACTERS = 200;

/** The label in a reply: in a JSON object, or the label alone, as small models answer. */
export function readLabel(reply: ReplyText): StatedLabel | undefined {
  const found = parseJsonReply(reply, 'label');
  if (found === undefined) {
    const bare = reply.text.trim().replace(/^(?:the )?(?:label|answer|category|class)\s*(?:is)?\s*[:=]?\s+/i, '');
    return bare === '' || bare.length > MAX_BARE_CHARACTERS || /[{}]/.test(bare) ? undefined : { written: bare };
  }
  const { value } = found;
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return undefined;
  const stated = keyOf(found.object, 'confidence');
  const confidence = stated === undefined ? undefined : readConfidence(found.object[stated]);
  return { written: String(value), ...(confidence === undefined ? {} : { confidence }) };
}

/** The label of the set that was meant: in other case, with punctuation around it or characters that cannot be seen. */
export function labelOf(written: string, labels: readonly string[]): string | undefined {
  return labels.find((label) => label === written) ?? labels.find((label) => fold(label) === fold(written));
}

/** Two labels with the same folded form cannot be told apart in a reply. */
export function fold(label: string): string {
  const plain = label
    .normalize('NFKC')
    .replace(/[\p{Cf}\p{Cc}]/gu, '')
    .replace(/\s+/g, ' ')
    .toLowerCase()
    .trim();
  // A label may itself begin or end with a mark ("c++"), so letters decide only where something is left.
  return plain.replace(/^[\s"'`*_.,;:!?()[\]<>«»“”‘’„-]+|[\s"'`*_.,;:!?()[\]<>«»“”‘’„]+$/gu, '') || plain;
}

/**
 * A number from 0 to 1, also as text (`"0.95"`, `"0,95"`) or in per cent (`"95 %"`). Another number is no probability: 95
 * may be a per cent or what a document asked for, so it counts as 0 and passes no threshold.
 */
export function readConfidence(value: unknown): number | undefined {
  if (typeof value === 'number') return value >= 0 && value <= 1 ? value : 0;
  if (typeof value !== 'string') return undefined;
  const [, digits, percent] = /^\s*(\d{1,3}(?:[.,]\d{1,20})?)\s*(%?)\s*$/.exec(value) ?? [];
  if (digits === undefined) return undefined;
  const number = Number(digits.replace(',', '.')) / (percent === '%' ? 100 : 1);
  return number >= 0 && number <= 1 ? number : undefined;
}
