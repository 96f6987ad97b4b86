import type { ReplyText } from '../../prompts/question.ts';
import { isRecord } from '../../text/json-value.ts';
import { answerPart } from '../answer-part.ts';
import { keyOf, parseJsonReply } from '../parse-json-reply.ts';

export interface StatedLabel {
  /** As the reply has it. */
  readonly written: string;
  /** 0 to 1; absent where the reply states none that can be read. */
  readonly confidence?: number;
}

/** Longer texts are no label alone, but an explanation that may name several. */
const MAX_BARE_CHARACTERS = 200;

/**
 * The label in a reply: in a JSON object, or the label alone, as small models answer.
 *
 * @returns `differing` where it has several answers that are not the same
 */
export function readLabel(reply: ReplyText): StatedLabel | 'differing' | undefined {
  const [key, found] = findAnswer(reply);
  if (found === undefined) return readBareLabel(answerPart(reply.text));
  if (found.kind === 'differing') return 'differing';
  const { value, object } = insideItself(found, key);
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return undefined;
  return withConfidence(String(value), statedConfidence(object));
}

const CONFIDENCE_KEY = /confiden|certain|probab|likelihood|konfidenz|置信|^score$/i;

/** Under the key that was asked for, or the only one that says the same; a list or an object of one number counts as it. */
export function statedConfidence(object: Readonly<Record<string, unknown>>): number | undefined {
  const others = Object.keys(object).filter((name) => CONFIDENCE_KEY.test(name));
  const key = keyOf(object, 'confidence') ?? (others.length === 1 ? others[0] : undefined);
  if (key === undefined) return undefined;
  const value = object[key];
  const inner = typeof value === 'object' && value !== null ? Object.values(value) : [value];
  return inner.length === 1 ? readConfidence(inner[0]) : undefined;
}

/** Words of weak models for the key that they were asked for; read only where no object has `label`. */
const OTHER_KEYS = ['category', 'class', 'classification'] as const;

function findAnswer(reply: ReplyText) {
  for (const key of ['label', ...OTHER_KEYS.filter((other) => reply.text.toLowerCase().includes(other))]) {
    const found = parseJsonReply(reply, key);
    if (found !== undefined) return [key, found] as const;
  }
  return ['label', undefined] as const;
}

/** `{"label": {"label": "billing", "confidence": 0.9}}` */
function insideItself(
  found: { readonly value: unknown; readonly object: Readonly<Record<string, unknown>> },
  key: string,
) {
  const inner = isRecord(found.value) ? keyOf(found.value, key) : undefined;
  return isRecord(found.value) && inner !== undefined ? { value: found.value[inner], object: found.value } : found;
}

/** `billing`, `**Billing**`, `Label: billing`, or lines for label and confidence. */
function readBareLabel(text: string): StatedLabel | undefined {
  const bare = text.replace(/<\/?[a-z_]{1,20}>/gi, ' ').trim();
  if (bare === '' || bare.length > MAX_BARE_CHARACTERS || /[{}]/.test(bare)) return undefined;
  const [, stated] = /\bconfidence\W{0,5}?(\.?\d[\d.,]{0,20}\s*(?:%|percent)?)/i.exec(bare) ?? [];
  const [label = ''] = bare.split(/[\n,;(|]\W*confidence\b/i);
  const written = label.trim().replace(/^\W*(?:the )?(?:label|answer|category|class)\W*?\s*(?:is)?\s*[:=]?\s+/i, '');
  return written === ''
    ? undefined
    : withConfidence(written, stated === undefined ? undefined : readConfidence(stated));
}

function withConfidence(written: string, confidence: number | undefined): StatedLabel {
  return { written, ...(confidence === undefined ? {} : { confidence }) };
}

/**
 * The label of the set that was meant: in other case, with punctuation around it or characters that cannot be seen, as
 * another form of the same number. Where two could be meant it is none.
 */
export function labelOf(written: string, labels: readonly string[]): string | undefined {
  if (labels.includes(written)) return written;
  const number = numberOf(written);
  const ways: readonly ((label: string) => boolean)[] = [
    (label) => plainForm(label) === plainForm(written),
    (label) => fold(label) === fold(written),
    (label) => number !== undefined && numberOf(label) === number,
    (label) => withoutSpaces(label) === withoutSpaces(written),
    (label) => fold(label) === withoutOrnaments(written),
  ];
  for (const isMeant of ways) {
    const meant = labels.filter(isMeant);
    if (meant.length > 0) return meant.length === 1 ? meant[0] : undefined;
  }
  return undefined;
}

/** Case, Unicode form, spaces and what cannot be seen set aside. */
function plainForm(label: string): string {
  return label
    .normalize('NFKC')
    .replace(/(?!\s)[\p{Cf}\p{Cc}\p{Default_Ignorable_Code_Point}]/gu, '')
    .replace(/\s+/g, ' ')
    .toLowerCase()
    .trim();
}

const OUTER_MARKS =
  /^[\s"'`*_.,;:!?()[\]<>«»“”‘’„。、「」『』【】…–—-]+|[\s"'`*_.,;:!?()[\]<>«»“”‘’„。、「」『』【】…–—-]+$/gu;

/** Two labels with the same folded form cannot be told apart in a reply. */
export function fold(label: string): string {
  const plain = plainForm(label);
  // A label may itself begin or end with a mark ("c++"), so letters decide only where something is left.
  return plain.replace(OUTER_MARKS, '') || plain;
}

/** `1. billing`, `#billing`, `💳 billing`: a list's number, a hash sign and pictures are the model's, unless a label has them. */
function withoutOrnaments(written: string): string {
  const pictures = /^[\p{So}\p{Sk}\s#]+|[\p{So}\p{Sk}\s]+$/gu;
  return fold(
    plainForm(written)
      .replace(pictures, '')
      .replace(/^\d{1,3}[.)]\s+/, ''),
  );
}

function withoutSpaces(label: string): string {
  return fold(label).replace(/[\s_-]/g, '');
}

function numberOf(text: string): number | undefined {
  const plain = fold(text);
  return /^\d+(?:\.\d+)?$/.test(plain) ? Number(plain) : undefined;
}

/**
 * A number from 0 to 1, also as text (`"0.95"`, `"0,95"`, `"about .95"`), in per cent (`"95 %"`, `95`) or as a share
 * (`"9/10"`). Anything else tells nothing: an unknown confidence is no confidence of 0.
 */
export function readConfidence(value: unknown): number | undefined {
  if (typeof value === 'number') return inRange(value > 1 && value >= MIN_PERCENT ? value / 100 : value);
  if (typeof value !== 'string') return undefined;
  const written =
    /^\s*(?:[a-z~≈(: ]{0,20}?)(\d{1,3}(?:[.,]\d{1,20})?|[.,]\d{1,20})\s*(%|percent|per cent|\/\s*(\d{1,4}))?(.*)$/is.exec(
      value,
    );
  if (written === null || /\d/.test(written[4] ?? '')) return undefined;
  const number = Number((written[1] ?? '').replace(',', '.'));
  if (written[3] !== undefined) return inRange(number / Number(written[3]));
  return written[2] === undefined ? readConfidence(number) : inRange(number / 100);
}

/** Numbers between are of a scale that nobody knows: 7 of ten, or of a hundred. */
const MIN_PERCENT = 11;

function inRange(number: number): number | undefined {
  return number >= 0 && number <= 1 ? number : undefined;
}
