import { hasWords } from '../../checks/words.ts';
import type { ReplyText } from '../../prompts/question.ts';
import { countWords } from '../../text/count-words.ts';
import { isRecord, parseJson } from '../../text/json-value.ts';
import { answerPart, withoutControlTokens } from '../answer-part.ts';
import { keyOf, objectsOfReply } from '../parse-json-reply.ts';

const MAX_DEPTH = 3;
/** Prose of so many words is most likely the summary, without its JSON or under another key. */
export const MIN_PROSE_WORDS = 8;
/** The only text of an object needs fewer. */
const MIN_ONLY_WORDS = 5;
/** Keys of what a model says beside its answer, or in its place. */
const OTHER_PROSE = /error|message|reason|refus|note|thought|thinking|analysis|comment|explanation|title/i;
/** What is written where there is nothing, or where the schema was copied. */
const NO_SUMMARY = /^\W*(?:null|none|n\/?a|nil|undefined|string|summary|text|todo|tbd|placeholder|empty)\W*$/i;

/**
 * The text of a summary however a model has packed it: a text, a list of sentences, an object with one text or with
 * numbered ones, the asked object once more as JSON inside a text or between tags. Undefined where it is none of these.
 */
export function summaryText(value: unknown, depth = 0): string | undefined {
  if (depth > MAX_DEPTH) return undefined;
  if (typeof value === 'string') return fromString(value, depth);
  const parts = Array.isArray(value) ? value : isRecord(value) ? partsOf(value) : undefined;
  if (parts === undefined || parts.length === 0) return undefined;
  const texts = parts.map((part) => summaryText(part, depth + 1));
  return texts.every((text) => text !== undefined) ? texts.map((text) => text.trim()).join(' ') : undefined;
}

/** Words that say nothing, such as `N/A` or `string`, are no summary. */
export function saysNothing(summary: string): boolean {
  return !hasWords(summary) || NO_SUMMARY.test(summary);
}

function fromString(value: string, depth: number): string | undefined {
  const inner: unknown = /^\s*\{/.test(value) ? parseJson(value) : undefined;
  if (isRecord(inner) && keyOf(inner, 'summary') !== undefined) return summaryText(inner, depth + 1);
  const [, tagged] = /^\s*<summary>([\s\S]*?)(?:<\/summary>)?\s*$/i.exec(value) ?? [];
  return withoutControlTokens(tagged ?? value);
}

function partsOf(value: Readonly<Record<string, unknown>>): readonly unknown[] | undefined {
  const key = keyOf(value, 'summary') ?? keyOf(value, 'text');
  if (key !== undefined) return [value[key]];
  const names = Object.keys(value);
  const areNumbered = names.every((name) => /^\D{0,12}\d{1,3}$/.test(name));
  return names.length === 1 || areNumbered ? Object.values(value) : undefined;
}

/**
 * The summary of a reply without the key that was asked for: under a key that has it in its name, as the only prose of an
 * object, between tags, or behind its title. Prose without any mark may be a chat with the reader.
 */
export function summaryElsewhere(reply: ReplyText): string | undefined {
  const objects = objectsOfReply(reply);
  if (objects.length > 1) return undefined;
  const [object] = objects;
  return object === undefined ? markedText(reply) : (underOtherName(object) ?? onlyProse(object));
}

function underOtherName(object: Readonly<Record<string, unknown>>): string | undefined {
  const names = Object.keys(object).filter((name) => /summary/i.test(name));
  return names.length === 1 ? summaryText(object[names[0] ?? '']) : undefined;
}

function onlyProse(object: Readonly<Record<string, unknown>>): string | undefined {
  const texts = Object.entries(object)
    .filter(([name, value]) => !Array.isArray(value) && !OTHER_PROSE.test(name))
    .map(([, value]) => summaryText(value))
    .filter((text) => text !== undefined && countWords(text) >= MIN_ONLY_WORDS);
  return texts.length === 1 ? texts[0] : undefined;
}

function markedText(reply: ReplyText): string | undefined {
  if (reply.finish !== 'stop') return undefined;
  const text = answerPart(reply.text)
    .trim()
    .replace(/^```\w*\s*\n|```$/g, '');
  const [, tagged] = /<summary>([\s\S]*?)<\/summary>/i.exec(text) ?? [];
  const [, titled] =
    /^\s*(?:#{1,4}\s*|\*\*|["'])?(?:the )?summary(?:\*\*)?["']?\s*(?::(?:\*\*)?|\n)\s*(?:[|>][+-]?\s*\n)?([\s\S]+)$/i.exec(
      text,
    ) ?? [];
  const found = (tagged ?? titled)
    ?.split('\n')
    .map((line) => line.trim())
    .join(' ')
    .trim();
  return found === undefined || found === '' || /[{}]/.test(found) ? undefined : found.replace(/^"([^"]*)"$/, '$1');
}
