import type { ReplyChecks, SoughtText } from '../../checks/reply-checks.ts';
import { patternProblem } from '../../checks/safe-pattern.ts';

/** The checks as the config has them. */
interface RawChecks {
  readonly language?: boolean | undefined;
  readonly numbers?: boolean | undefined;
  readonly names?: boolean | undefined;
  readonly preamble?: boolean | undefined;
  readonly forbidden?: readonly string[] | undefined;
  readonly onFail?: 'warn' | 'fail' | undefined;
}

/** `/pattern/flags`; anything else is a phrase. */
const WRITTEN_PATTERN = /^\/(.+)\/([a-z]*)$/s;

/**
 * The checks of a summarize workflow. Names are not checked unless asked for: headings and translated names look
 * like names that the document does not have.
 */
export function resolveChecks(raw: RawChecks | undefined, at: string, problems: string[]): ReplyChecks {
  const { language = true, numbers = true, names = false, preamble = true, forbidden = [], onFail } = raw ?? {};
  return {
    language,
    numbers,
    names,
    preamble,
    forbidden: forbidden.map((text, index) => resolveSought(text, `${at}.forbidden.${index}`, problems)),
    ...(onFail === 'fail' ? { failsOnDoubt: true } : {}),
  };
}

/** A phrase, or a pattern that is written as one; a pattern that could take long is a problem. */
export function resolveSought(text: string, at: string, problems: string[]): SoughtText {
  const written = readPattern(text);
  if (written === undefined) return { kind: 'phrase', phrase: text };
  const problem = patternProblem(written.pattern, written.flags);
  if (problem !== undefined) problems.push(`${at}: ${JSON.stringify(text)} ${problem}`);
  return { kind: 'pattern', ...written };
}

/** The pattern in a text that is written as one, `/pattern/flags`; undefined for a phrase. */
export function readPattern(text: string): { pattern: string; flags: string } | undefined {
  const [, pattern, flags = ''] = WRITTEN_PATTERN.exec(text) ?? [];
  return pattern === undefined ? undefined : { pattern, flags };
}
