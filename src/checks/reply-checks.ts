import type { RejectionCode } from '../prompts/question.ts';
import { type LanguageProblem, languageProblem } from './language.ts';
import { namesNotFound } from './names.ts';
import { numbersNotFound } from './numbers.ts';
import { findPreamble } from './preamble.ts';

/** Text that a summary must not have: a phrase in any case, or a regular expression that `patternProblem` let pass. */
export type ForbiddenText =
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
  readonly forbidden: readonly ForbiddenText[];
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
const MOST_CHECKED_CHARS = 50_000;
const MOST_NAMED = 5;

/** The first problem of a summary, cheapest check first; undefined: it passes all of them. */
export function checkSummary(checks: ReplyChecks, checked: CheckedSummary): CheckProblem | undefined {
  const summary = checked.summary.slice(0, MOST_CHECKED_CHARS);
  const { source } = checked;
  if (checks.preamble && findPreamble(summary, source) !== undefined) {
    return {
      code: 'preamble',
      detail: 'the summary talks about itself or declines; write nothing but what the document says',
    };
  }
  const forbidden = checks.forbidden.findIndex((text) => has(summary, text));
  if (forbidden !== -1) {
    const text = checks.forbidden[forbidden];
    const what = text?.kind === 'phrase' ? JSON.stringify(text.phrase) : `text of the form /${text?.pattern}/`;
    return { code: 'forbidden_text', detail: `the summary has ${what}, which it must not have` };
  }
  if (checks.language) {
    const problem = languageProblem(summary, source, checked.language);
    if (problem !== undefined) return { code: 'wrong_language', detail: describeLanguage(problem) };
  }
  if (checks.numbers) {
    const missing = numbersNotFound(summary, source);
    if (missing.length > 0) return notFound('numbers_not_found', 'numbers', missing);
  }
  const names = checks.names ? namesNotFound(summary, source) : [];
  return names.length > 0 ? notFound('names_not_found', 'names', names) : undefined;
}

function has(summary: string, text: ForbiddenText): boolean {
  return text.kind === 'phrase'
    ? summary.toLowerCase().includes(text.phrase.toLowerCase())
    : new RegExp(text.pattern, text.flags).test(summary);
}

function describeLanguage({ found, wanted }: LanguageProblem): string {
  return `the summary is written in ${found}; it should be in ${wanted}`;
}

function notFound(code: RejectionCode, what: string, missing: readonly string[]): CheckProblem {
  const named = missing.slice(0, MOST_NAMED).join(', ');
  const more = missing.length > MOST_NAMED ? ` and ${missing.length - MOST_NAMED} more` : '';
  return { code, detail: `the summary has ${what} that the document does not have: ${named}${more}` };
}
