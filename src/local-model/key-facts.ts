import { frameLines } from './frame-lines.ts';

const MONTH =
  '(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sep(?:t(?:ember)?)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)';
const DAY = '(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day';

const QUESTION = /\?["”')\]]*\s*$/;
const DATE = new RegExp(
  `\\b\\d{4}-\\d{2}-\\d{2}\\b|\\b${MONTH} \\d{1,2}\\b|\\b\\d{1,2}(?:st|nd|rd|th)?(?: of)? ${MONTH}\\b` +
    `|\\b(?:by|on|until|before|next|this) ${DAY}\\b|\\b\\d{1,2}:\\d{2}\\b` +
    '|\\btomorrow\\b|\\bend of (?:the )?(?:day|week|month|quarter|year)\\b',
);
const AMOUNT =
  /(?:[$€£]|\b(?:USD|EUR|GBP)) ?\d|\d ?(?:[%€£]|per cent\b|percent\b|dollars?\b|euros?\b|USD\b|EUR\b|GBP\b)/;
const DECISION =
  /\b(?:we|they|board|team|committee|group|council|everyone)\b.{0,30}\b(?:decided|agreed|approved|rejected|resolved|voted)\b|^(?:actions?|decisions?|agreed|deadline|due|todo|next steps?)\b.{0,20}:|\bplease (?:send|confirm|reply|let|check|pay|sign|call)\b/i;

/** Questions, dates, amounts and decisions: how many of these four kinds a sentence has. */
export function countKeyFacts(sentence: string): number {
  return [QUESTION, DATE, AMOUNT, DECISION].filter((kind) => kind.test(sentence)).length;
}

const HEADING = /^\s{0,3}#{1,6} \S/;
const MINUTES = /^\s*(?:minutes\b|agenda\b|attendees\b|present:|participants\b|action items?\b|decisions?:|actions?:)/i;

/**
 * Mails, minutes, notes and READMEs, by their form: someone has to act on them. News and papers, whose summaries the
 * ranker is fitted to, have none of these lines.
 */
export function isForActing(text: string): boolean {
  const lines = text.split(/\r\n|[\n\r\u2028\u2029]/);
  return lines.some((line) => HEADING.test(line) || MINUTES.test(line)) || frameLines(lines).size > 0;
}
