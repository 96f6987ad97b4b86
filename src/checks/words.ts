import { languageProblem } from './language.ts';

/** Of what is not white space; numbers in a table of figures count as letters. */
const MIN_LETTER_SHARE = 0.3;
/** Under this share of its words a summary is of something else; people's summaries have far more. */
const MIN_WORD_SHARE = 0.1;
/** Fewer say too little. */
const MIN_WORDS = 5;

/** Punctuation and brackets alone are no summary. */
export function hasWords(summary: string): boolean {
  const visible = summary.replace(/\s/g, '').length;
  const letters = summary.match(/[\p{L}\p{N}]/gu)?.length ?? 0;
  return letters > 0 && letters >= visible * MIN_LETTER_SHARE;
}

/** Whether next to none of the summary's words stand in its source, though both are in one language. */
export function isOfSomethingElse(summary: string, source: string): boolean {
  const words = new Set(summary.toLowerCase().match(WORD) ?? []);
  if (words.size < MIN_WORDS) return false;
  const text = source.toLowerCase();
  const known = [...words].filter((word) => text.includes(word)).length;
  return known < words.size * MIN_WORD_SHARE && languageProblem(summary, source, undefined) === undefined;
}

/** Scripts without spaces between words: two characters in a row. */
const WORD =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]{2}|(?:(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}])\p{L}){3,40}/gu;
