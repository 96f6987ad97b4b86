import type { ReplyText } from '../../prompts/question.ts';
import { isRecord, parseJson } from '../../text/json-value.ts';
import { answerPart, withoutControlTokens } from '../answer-part.ts';
import { objectsOfReply } from '../parse-json-reply.ts';
import { fold, labelOf, readConfidence, type StatedLabel, statedConfidence } from './read-label.ts';

const MAX_DEPTH = 3;
/** Longer texts hold an explanation, and their first line alone may be the label. */
const MAX_BARE_CHARACTERS = 200;

/**
 * The label that a text begins with, where it goes on to something else and names no further label: `billing: Invoices`, as
 * the prompt lists it, or `billing (about an invoice)`.
 */
export function meantLabel(written: string, labels: readonly string[]): string | undefined {
  const whole = labelOf(written, labels) ?? labelOf(written.replace(PREFIX, ''), labels);
  if (whole !== undefined) return whole;
  const text = fold(written.replace(PREFIX, ''));
  const begun = labels.filter((label) => {
    const rest = text.startsWith(fold(label)) ? text.slice(fold(label).length) : '';
    return (
      /^["'`*”’]*\s*(?:[:(,;.|–—-]|\n)/u.test(rest) && !labels.some((other) => other !== label && names(rest, other))
    );
  });
  return begun.length === 1 ? begun[0] : undefined;
}

/** Words that models put before a label. */
const PREFIX =
  /^\W*(?:(?:(?:the|my|final|predicted|correct|best)\s+)*(?:label|answer|category|class|classification|intent|prediction)\W*?\s*(?:is)?\s*[:=]?\s+|(?:a|assistant|output|result|response)(?:\s*:\s*|\s*\n\s*)|(?:final )?(?:label|answer)\s*[:=]\s*)/i;

function names(text: string, label: string): boolean {
  const at = text.indexOf(fold(label));
  if (at === -1) return false;
  const around = `${text[at - 1] ?? ' '}${text[at + fold(label).length] ?? ' '}`;
  return !/[\p{L}\p{N}]/u.test(around);
}

/**
 * The one label of the set that a reply names in another form than the one that was asked for: under another key, as a key with
 * its score, alone, in lines, tags or the arguments of a call. Undefined where it names none, or several.
 */
export function looseLabel(reply: ReplyText, labels: readonly string[]): StatedLabel | undefined {
  const text = answerPart(reply.text);
  const list = parseJson(text.trim());
  const objects = objectsOfReply(reply);
  const found = Array.isArray(list) && objects.length === 0 ? labelIn({ list }, labels) : undefined;
  if (found !== undefined) return found;
  if (objects.length > 0) return only(objects.map((object) => labelIn(object, labels)));
  // A number that was cut off is another one.
  return bareLabel(text, labels) ?? (reply.finish === 'length' ? undefined : statedInText(text, labels));
}

function only(found: readonly (StatedLabel | undefined)[]): StatedLabel | undefined {
  const all = found.filter((each) => each !== undefined);
  return new Set(all.map(({ written }) => written)).size === 1 ? all[0] : undefined;
}

function labelIn(object: Readonly<Record<string, unknown>>, labels: readonly string[]): StatedLabel | undefined {
  const scored =
    scoredLabel(object, labels) ??
    innerOf(object)
      .map((each) => (isRecord(each) ? scoredLabel(each, labels) : undefined))
      .find((each) => each !== undefined);
  if (scored !== undefined) return scored;
  const leaves = leavesOf(object, 0);
  const named = new Set(
    leaves.filter((leaf) => typeof leaf === 'string').flatMap((leaf) => meantLabel(leaf, labels) ?? []),
  );
  const [label] = named;
  if (label === undefined || named.size > 1) return undefined;
  const numbers = leaves.filter((leaf) => typeof leaf === 'number');
  const inList = Object.keys(object).join() === 'list' && numbers.length === 1 ? readConfidence(numbers[0]) : undefined;
  const inner = innerOf(object)
    .filter(isRecord)
    .map(statedConfidence)
    .find((each) => each !== undefined);
  return stated(label, statedConfidence(object) ?? inner ?? inList);
}

/** `__proto__` is no field that anybody answers with. */
function innerOf(object: Readonly<Record<string, unknown>>): readonly unknown[] {
  return Object.entries(object).flatMap(([name, value]) => (name === '__proto__' ? [] : [value]));
}

function leavesOf(value: unknown, depth: number): readonly unknown[] {
  if (depth > MAX_DEPTH) return [];
  if (Array.isArray(value)) {
    // Several texts in a list are several answers, or none.
    const isOne = value.filter((each) => typeof each === 'string').length === 1;
    return value.flatMap((each) => (typeof each === 'string' && !isOne ? [] : leavesOf(each, depth + 1)));
  }
  return isRecord(value) ? innerOf(value).flatMap((each) => leavesOf(each, depth + 1)) : [value];
}

/** `{"billing": 0.9, "bug": 0.1}`, `{"billing": true, "bug": false}`: the label with the highest score, if it is one. */
function scoredLabel(object: Readonly<Record<string, unknown>>, labels: readonly string[]): StatedLabel | undefined {
  const scores = Object.entries(object).flatMap(([key, value]) => {
    const label = labelOf(key, labels);
    const score = typeof value === 'boolean' ? Number(value) : readConfidence(value);
    return label === undefined || score === undefined ? [] : [{ label, score, isYes: value === true }];
  });
  const [best, second] = scores.toSorted((a, b) => b.score - a.score);
  if (best === undefined || best.score === 0 || best.score === second?.score) return undefined;
  return stated(best.label, best.isYes ? undefined : best.score);
}

/** The label alone or in the first line, with a number behind it that is its confidence. */
function bareLabel(text: string, labels: readonly string[]): StatedLabel | undefined {
  const bare = plainText(text);
  if (bare === '' || /[{}]/.test(bare)) return undefined;
  const lines = bare
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const first = labelOf(lines[0] ?? '', labels);
  const others = lines.slice(1).map((line) => labelOf(line, labels));
  const isAlone = first !== undefined && others.every((other) => other === undefined || other === first);
  const confidence = confidenceIn(bare.slice(0, MAX_BARE_CHARACTERS));
  if (isAlone) return stated(first, confidence);
  if (bare.length > MAX_BARE_CHARACTERS) return undefined;
  const label = meantLabel(bare.replace(LAST_NUMBER, ''), labels);
  return label === undefined ? undefined : stated(label, confidence);
}

const LAST_NUMBER =
  /[\s,;|(:–—-]+(?:(?:confidence|score|probability)\W{0,5})?\.?\d[\d.,]{0,20}\s*(?:%|percent|\/\s*\d+)?\)?$/i;

function confidenceIn(bare: string): number | undefined {
  const [, named] =
    /\b(?:confidence|certainty|probability|score)\W{0,5}?(\.?\d[\d.,]{0,20}\s*(?:%|percent)?)/i.exec(bare) ?? [];
  if (named !== undefined) return readConfidence(named);
  const last = LAST_NUMBER.exec(bare)?.[0].replace(/^[\s,;|(:–—-]+|\)$/g, '');
  return last === undefined ? undefined : readConfidence(last);
}

function plainText(text: string): string {
  return withoutControlTokens(text)
    .trim()
    .replace(/^```\w*\s*\n|```$/g, '')
    .replace(/<\/?[a-z_]{1,20}(?:=[\w-]{1,40})?>/gi, ' ')
    .replace(/\$|\\(?:boxed|text\w*|math\w*)\s*\{([^{}]*)\}/g, '$1')
    .replace(/\\(?:boxed|text\w*|math\w*)\s*\{([^{}]*)\}/g, '$1')
    .trim();
}

/** `label: billing` in lines, `<label>billing</label>`, `f(label="billing")`, and what is not quite JSON. */
function statedInText(text: string, labels: readonly string[]): StatedLabel | undefined {
  const [values, confidences] = ['label', 'confidence'].map((field) =>
    [
      ...text.matchAll(
        new RegExp(`\\b${field}\\b["'*\\]]{0,3}\\s{0,5}[:=>]\\s{0,5}["'“*]{0,3}([^"'”<>\\n,;}*)]{1,100})`, 'gi'),
      ),
    ].map(([, value = '']) => value.trim()),
  );
  const named = new Set((values ?? []).flatMap((value) => meantLabel(value, labels) ?? []));
  const [label] = named;
  if (label === undefined || named.size > 1) return undefined;
  return stated(label, confidences?.length === 1 ? readConfidence(confidences[0]) : undefined);
}

function stated(label: string, confidence: number | undefined): StatedLabel {
  return { written: label, ...(confidence === undefined ? {} : { confidence }) };
}
