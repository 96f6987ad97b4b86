import { finish, type Steps } from '../runtime/steps.ts';
import { findSensitiveInSteps, mergeOverlaps } from './find-sensitive.ts';
import { LITERAL, placeholderOf, placeholderPattern, readPlaceholder } from './placeholder.ts';
import type { Finding, RedactionPolicy } from './redaction-policy.ts';

export interface RedactedTexts {
  readonly texts: readonly string[];
  /**
   * Puts the values back into a reply.
   *
   * @param quote how a value is written there, e.g. escaped for JSON; default: as it is
   * @returns the text, and the placeholders in it that stand for nothing
   */
  restore(reply: string, quote?: (value: string) => string): { readonly text: string; readonly unknown: string[] };
}

/** A value that was found, or text that stays. */
type Segment = string | { readonly value: string; readonly rule: string };

/** What is left of a finding can only now be recognised beside it, so a text is searched again, but not forever. */
const MAX_PASSES = 4;
/** A part of a value this short says nothing, and other words end or begin with it as well. */
const MIN_PART = 4;

/**
 * Hides the sensitive values of one document behind placeholders. A value has the same placeholder in all texts about
 * the document; numbers follow its first place in the document, so every worker gives the same ones.
 */
export class Redactor {
  /** How often each rule found something in the document. */
  readonly counts: Readonly<Record<string, number>>;
  readonly #policy: RedactionPolicy;
  readonly #pattern: RegExp;
  readonly #names = new NameList();
  #parts: PartFinder | undefined;

  private constructor(policy: RedactionPolicy, pattern: RegExp, segments: readonly Segment[]) {
    this.#policy = policy;
    this.#pattern = pattern;
    const counts: Record<string, number> = {};
    for (const segment of segments) {
      if (typeof segment === 'string') continue;
      this.#names.nameOf(segment.value, segment.rule);
      if (segment.rule !== LITERAL) counts[segment.rule] = (counts[segment.rule] ?? 0) + 1;
    }
    this.counts = counts;
  }

  /** Searches the document, which takes about 100 ms a megabyte. */
  static *inSteps(documentText: string, policy: RedactionPolicy): Steps<Redactor> {
    const pattern = placeholderPattern([...policy.rules, ...policy.patterns.map(({ name }) => name), LITERAL]);
    return new Redactor(policy, pattern, yield* split(documentText, policy, pattern));
  }

  /** As {@link Redactor.inSteps}, at once. */
  static of(documentText: string, policy: RedactionPolicy): Redactor {
    return finish(Redactor.inSteps(documentText, policy));
  }

  /** Hides the values in texts that go to a provider together: parts of the document, or notes about it. */
  redact(texts: readonly string[]): RedactedTexts {
    return finish(this.redactInSteps(texts));
  }

  /** As {@link redact}, yielding after every few milliseconds. */
  *redactInSteps(texts: readonly string[]): Steps<RedactedTexts> {
    // A model may have put values into its notes that the document does not have. They get names of this call only.
    const names = this.#names.copy();
    const redacted: string[] = [];
    for (const text of texts) {
      const segments = yield* this.#hideCutValues(yield* split(text, this.#policy, this.#pattern));
      redacted.push(
        segments
          .map((segment) => (typeof segment === 'string' ? segment : names.nameOf(segment.value, segment.rule)))
          .join(''),
      );
    }
    return { texts: redacted, restore: (reply, quote) => this.#restore(reply, names, quote ?? ((value) => value)) };
  }

  #restore(reply: string, names: NameList, quote: (value: string) => string): { text: string; unknown: string[] } {
    const unknown: string[] = [];
    const text = reply.replace(this.#pattern, (...match) => {
      const [written = ''] = match as unknown as string[];
      const { rule, number, bracketed } = readPlaceholder(match as unknown as RegExpExecArray);
      const value = names.valueOf(placeholderOf(rule, number));
      if (value !== undefined) return quote(value);
      if (bracketed) unknown.push(written);
      return written;
    });
    return { text, unknown };
  }

  /**
   * A document is cut into parts between words, and a value can have several: its rest at either end is hidden too, and what
   * stood beside that is searched again.
   */
  *#hideCutValues(segments: readonly Segment[]): Steps<readonly Segment[]> {
    const result = [...segments];
    const searched = (text: string) => split(text, this.#policy, this.#pattern);
    this.#parts ??= new PartFinder(this.#names.entries());
    const head = result[0];
    if (typeof head === 'string') {
      const cut = this.#parts.endAtStartOf(head);
      if (cut !== undefined) result.splice(0, 1, cut, ...(yield* searched(head.slice(cut.value.length))));
    }
    const tail = result.at(-1);
    if (typeof tail === 'string') {
      const cut = this.#parts.beginningAtEndOf(tail);
      if (cut !== undefined) {
        result.splice(-1, 1, ...(yield* searched(tail.slice(0, tail.length - cut.value.length))), cut);
      }
    }
    return result;
  }
}

/** Text and values by turns; a value may be next to another one. */
function* split(text: string, policy: RedactionPolicy, pattern: RegExp): Steps<readonly Segment[]> {
  let segments: readonly Segment[] = [text];
  let hidden = 0;
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const next: Segment[][] = [];
    for (const segment of segments) {
      next.push(
        // Also in later passes: what stood beside a value is no longer part of a longer word.
        typeof segment === 'string' ? yield* splitOnce(segment, policy, pattern) : [segment],
      );
    }
    segments = next.flat();
    const found = segments.filter((segment) => typeof segment !== 'string').length;
    if (found === hidden) break;
    hidden = found;
  }
  return segments;
}

/** @param literals what must not be taken for a placeholder */
function* splitOnce(text: string, policy: RedactionPolicy, literals: RegExp): Steps<Segment[]> {
  const sensitive = yield* findSensitiveInSteps(text, policy);
  const findings = mergeOverlaps([...sensitive, ...findLiterals(text, literals)]);
  const segments: Segment[] = [];
  let end = 0;
  for (const finding of findings) {
    if (finding.start > end) segments.push(text.slice(end, finding.start));
    segments.push({ value: text.slice(finding.start, finding.end), rule: finding.rule });
    end = finding.end;
  }
  if (end < text.length) segments.push(text.slice(end));
  return segments;
}

function findLiterals(text: string, pattern: RegExp): readonly Finding[] {
  return [...text.matchAll(pattern)].map(({ index, 0: found }) => ({
    start: index,
    end: index + found.length,
    rule: LITERAL,
  }));
}

/** Values and their placeholders, numbered by rule. */
class NameList {
  readonly #names = new Map<string, string>();
  readonly #values = new Map<string, string>();
  readonly #counts = new Map<string, number>();
  readonly #rules = new Map<string, string>();
  readonly #base: NameList | undefined;

  constructor(base?: NameList) {
    this.#base = base;
  }

  valueOf(name: string): string | undefined {
    return this.#values.get(name) ?? this.#base?.valueOf(name);
  }

  /** A list that continues where this one ends, and leaves it as it is. */
  copy(): NameList {
    return new NameList(this);
  }

  nameOf(value: string, rule: string): string {
    const known = this.#known(value);
    if (known !== undefined) return known;
    const number = this.#count(rule) + 1;
    const name = placeholderOf(rule, number);
    this.#counts.set(rule, number);
    this.#names.set(value, name);
    this.#values.set(name, value);
    this.#rules.set(value, rule);
    return name;
  }

  #known(value: string): string | undefined {
    return this.#names.get(value) ?? (this.#base === undefined ? undefined : this.#base.#known(value));
  }

  #count(rule: string): number {
    return this.#counts.get(rule) ?? (this.#base === undefined ? 0 : this.#base.#count(rule));
  }

  entries(): Iterable<readonly [value: string, rule: string]> {
    return this.#rules;
  }
}

/** Finds where a text begins or ends within one of the values. Each look takes the logarithm of their number. */
class PartFinder {
  readonly #forward: readonly { readonly text: string; readonly rule: string }[];
  readonly #backward: readonly { readonly text: string; readonly rule: string }[];
  readonly #longest: number;

  constructor(values: Iterable<readonly [value: string, rule: string]>) {
    const known = [...values].filter(([, rule]) => rule !== LITERAL).map(([text, rule]) => ({ text, rule }));
    this.#forward = sortByText(known);
    this.#backward = sortByText(known.map(({ text, rule }) => ({ text: reverse(text), rule })));
    this.#longest = Math.min(MAX_PART, known.reduce((most, { text }) => Math.max(most, text.length), 0) - 1);
  }

  beginningAtEndOf(text: string): { value: string; rule: string } | undefined {
    for (let length = Math.min(this.#longest, text.length); length >= MIN_PART; length--) {
      const value = text.slice(-length);
      const rule = ruleOfPrefix(this.#forward, value);
      if (rule !== undefined) return { value, rule };
    }
    return undefined;
  }

  endAtStartOf(text: string): { value: string; rule: string } | undefined {
    for (let length = Math.min(this.#longest, text.length); length >= MIN_PART; length--) {
      const value = text.slice(0, length);
      const rule = ruleOfPrefix(this.#backward, reverse(value));
      if (rule !== undefined) return { value, rule };
    }
    return undefined;
  }
}

/** Longer parts than this are only looked for up to here; a private key has thousands of characters. */
const MAX_PART = 4096;

function sortByText<T extends { readonly text: string }>(entries: readonly T[]): readonly T[] {
  return [...entries].sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0));
}

function ruleOfPrefix(
  sorted: readonly { readonly text: string; readonly rule: string }[],
  prefix: string,
): string | undefined {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle]?.text ?? '') < prefix) low = middle + 1;
    else high = middle;
  }
  const found = sorted[low];
  return found !== undefined && found.text.length > prefix.length && found.text.startsWith(prefix)
    ? found.rule
    : undefined;
}

/** By UTF-16 units: only compared with others turned round in the same way. */
function reverse(text: string): string {
  let reversed = '';
  for (let index = text.length - 1; index >= 0; index--) reversed += text.charAt(index);
  return reversed;
}
