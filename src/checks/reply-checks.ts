import type { RejectionCode } from '../prompts/question.ts';
import { type LanguageProblem, languageProblem } from './language.ts';
import { namesNotFound } from './names.ts';
import { numbersNotFound } from './numbers.ts';
import { findPreamble } from './preamble.ts';

/** Text that is looked for: a phrase in any case, or a regular expression that `patternProblem` let pass. */
export type SoughtText =
  | { readonly kind: 'phrase'; readonly phrase: string }
  | { readonly kind: 'pattern'; readonly pattern: string; readonly flags: string };

/** What is checked in a summary besides its shape. Plain data, stored with the batch. */
export interface ReplyChecks {
  /** It is written in the language asked for, or in that of the document. */
  readonly language: boolean;
  /** Its numbers stand in the source. */
  readonly numbers: boolean;
  /** Its names of several words stand in the source. */
  readonly names: boolean;
  /** It does not begin with words about itself and is no refusal. */
  readonly preamble: boolean;
  readonly forbidden: readonly SoughtText[];
  /** Doubts about language, numbers and names fail a document at the last tier. Absent: its row has them as warnings. */
  readonly failsOnDoubt?: boolean;
}

export interface CheckedSummary {
  readonly summary: string;
  /** What the model was shown, or what it may know besides: the numbers and names of these are known. */
  readonly source: string;
  /** The language asked for, as the config names it; absent: that of the source. */
  readonly language?: string | undefined;
}

export interface CheckProblem {
  readonly code: RejectionCode;
  /** Told to the model in a repair turn, so it quotes nothing that a provider may not see. */
  readonly detail: string;
}

/** Longer texts are no summaries; patterns are bounded per place, this bounds the places. */
const MAX_CHECKED_CHARS = 50_000;
const MAX_NAMED = 5;

/** A summary with these may still be right: what was paid for is worth a look. */
const DOUBTS: ReadonlySet<RejectionCode> = new Set(['wrong_language', 'numbers_not_found', 'names_not_found']);

/** Whether a summary with these problems is kept, with warnings, where no tier has a better one. */
export function isKept({ failsOnDoubt }: ReplyChecks, problems: readonly CheckProblem[]): boolean {
  return failsOnDoubt !== true && problems.every(({ code }) => DOUBTS.has(code));
}

/** The problems of a summary, cheapest check first; none: it passes all of them. */
export function checkSummary(checks: ReplyChecks, checked: CheckedSummary): readonly CheckProblem[] {
  const summary = checked.summary.slice(0, MAX_CHECKED_CHARS);
  const { source } = checked;
  const problems: CheckProblem[] = [];
  if (checks.preamble && findPreamble(summary, source) !== undefined) {
    problems.push({
      code: 'preamble',
      detail: 'the summary talks about itself or declines; write nothing but what the document says',
    });
  }
  const forbidden = checks.forbidden.find((text) => hasText(summary, text));
  if (forbidden !== undefined) {
    const what =
      forbidden.kind === 'phrase' ? JSON.stringify(forbidden.phrase) : `text of the form /${forbidden.pattern}/`;
    problems.push({ code: 'forbidden_text', detail: `the summary has ${what}, which it must not have` });
  }
  if (checks.language) {
    const problem = languageProblem(summary, source, checked.language);
    if (problem !== undefined) problems.push({ code: 'wrong_language', detail: describeLanguage(problem) });
  }
  if (checks.numbers) {
    const missing = numbersNotFound(summary, source);
    if (missing.length > 0) problems.push(notFound('numbers_not_found', 'numbers', missing));
  }
  const names = checks.names ? namesNotFound(summary, source) : [];
  if (names.length > 0) problems.push(notFound('names_not_found', 'names', names));
  return problems;
}

/** Whether a text has it. Patterns are bounded per place; the text's length is the caller's to bound. */
export function hasText(text: string, sought: SoughtText): boolean {
  return sought.kind === 'phrase'
    ? text.toLowerCase().includes(sought.phrase.toLowerCase())
    : new RegExp(sought.pattern, sought.flags).test(text);
}

function describeLanguage({ found, wanted }: LanguageProblem): string {
  return `the summary is written in ${found}; it should be in ${wanted}`;
}

function notFound(code: RejectionCode, what: string, missing: readonly string[]): CheckProblem {
  const named = missing.slice(0, MAX_NAMED).join(', ');
  const more = missing.length > MAX_NAMED ? ` and ${missing.length - MAX_NAMED} more` : '';
  return { code, detail: `the summary has ${what} that the document does not have: ${named}${more}` };
}
