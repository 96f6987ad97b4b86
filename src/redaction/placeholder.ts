/** What text that only looks like a placeholder is called; a document may hold any text. */
export const LITERAL = 'literal';

/** `[EMAIL_1]`: short, and left alone by models that write about it. */
export function placeholderOf(rule: string, number: number): string {
  return `[${rule.toUpperCase()}_${number}]`;
}

/** `EMAIL_1` of a placeholder as we write it or as a model may have changed it. */
export interface PlaceholderName {
  readonly rule: string;
  readonly number: number;
  /** It stands in brackets, so it is meant as a placeholder and not as a word of the text. */
  readonly bracketed: boolean;
}

/**
 * Finds placeholders, also changed ones: `[email 1]`, `[EMAIL-1]`, `\[EMAIL\_1\]`, and without brackets only as
 * `EMAIL_1`. Match it with `readPlaceholder`.
 *
 * @param rules all names that a placeholder can have
 */
export function placeholderPattern(rules: readonly string[]): RegExp {
  const bracketed = rules.map((rule) => rule.replace(/[A-Za-z]/g, (letter) => `[${letter.toUpperCase()}${letter}]`));
  const plain = rules.map((rule) => rule.toUpperCase());
  const inside = `[ ]?(${bracketed.join('|')})(?:\\\\{0,2}_|[ -])?(\\d{1,7})[ ]?`;
  return new RegExp(
    `\\\\{1,2}\\[${inside}\\\\{1,2}\\]|\\[${inside}\\]|(?<![A-Za-z0-9_])(${plain.join('|')})_(\\d{1,7})(?![A-Za-z0-9_])`,
    'g',
  );
}

/** @param match of a pattern that `placeholderPattern` made */
export function readPlaceholder(match: RegExpExecArray): PlaceholderName {
  const [, escapedRule, escapedNumber, bracketedRule, bracketedNumber, plainRule, plainNumber] = match;
  return {
    rule: (escapedRule ?? bracketedRule ?? plainRule ?? '').toLowerCase(),
    number: Number(escapedNumber ?? bracketedNumber ?? plainNumber),
    bracketed: plainRule === undefined,
  };
}
