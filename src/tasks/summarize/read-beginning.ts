import { parseJson } from '../../text/json-value.ts';
import { findSentenceStarts } from '../../text/split-text.ts';
import { answerPart } from '../answer-part.ts';

/** The string of a field that never ends, the answer's object being cut off. */
const OPEN_SUMMARY = /"summary"\s*:\s*"((?:[^"\\]|\\.){0,50000})\\?$/is;
const ENDS_SENTENCE = /[.!?。！？…]["'”’»)\]]?$/u;

/** The whole sentences of a summary that was cut off in its middle; undefined: it has none. */
export function readBeginning(reply: string): string | undefined {
  const [, written] = OPEN_SUMMARY.exec(answerPart(reply).trimEnd()) ?? [];
  // A cut may go through an escape such as `\\u00e9`.
  const text = parseJson(`"${(written ?? '').replace(/\\u[0-9a-f]{0,3}$/i, '').replace(/[\n\r\t]/g, ' ')}"`);
  if (typeof text !== 'string' || text === '') return undefined;
  const summary = text.trim().toWellFormed();
  if (ENDS_SENTENCE.test(summary)) return summary;
  const last = [...findSentenceStarts(summary, 0, summary.length)].filter((start) => start > 0).at(-1);
  const whole = last === undefined ? '' : summary.slice(0, last).trimEnd();
  return ENDS_SENTENCE.test(whole) ? whole : undefined;
}
