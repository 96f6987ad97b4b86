import { numbersNotFound } from '../../checks/numbers.ts';
import type { TextSpan } from '../result-row.ts';
import type { Leaf } from './paths.ts';

/** More places than that tell nobody where a value comes from. */
const MAX_PLACES = 8;

/** The values that the document does not have: a text in any case and spacing, a number in any notation. */
export function notOccurring(leaves: readonly Leaf[], source: string): readonly Leaf[] {
  const text = leaves.some(({ value }) => typeof value === 'string') ? plain(source) : '';
  const numbers = leaves.flatMap(({ value }) => (typeof value === 'number' ? [writtenNumber(value)] : []));
  const missing = numbers.length === 0 ? [] : numbersNotFound(numbers.join('\n'), source);
  return leaves.filter(({ value }) => {
    if (typeof value === 'string') return !text.includes(plain(value));
    return typeof value === 'number' && missing.includes(writtenNumber(value));
  });
}

/** Without its sign, which texts write in many ways. */
function writtenNumber(value: number): string {
  return String(Math.abs(value));
}

/** Where the value stands in the text, first places first; none: it is written in another way, or not there. */
export function placesOf(value: Leaf['value'], text: string): readonly TextSpan[] {
  if (typeof value === 'boolean') return [];
  const found = typeof value === 'number' ? numberPlaces(value, text) : textPlaces(value, text);
  return found.slice(0, MAX_PLACES).map((one) => ({ start: one.index, end: one.index + one[0].length }));
}

function textPlaces(value: string, text: string): readonly RegExpExecArray[] {
  const words = value.trim().split(/\s+/u);
  if (words.join('') === '') return [];
  const pattern = words.map((word) => RegExp.escape(word)).join('\\s{1,20}');
  return [...text.matchAll(new RegExp(pattern, 'giu'))];
}

/** A number with a sign or without, and with either of the two marks between its groups. */
function numberPlaces(value: number, text: string): readonly RegExpExecArray[] {
  const wanted = Math.abs(value);
  return [...text.matchAll(/\d(?:[\d.,']{0,30}\d)?/g)].filter(([written]) => {
    const digits = written.replaceAll("'", '');
    return (
      Number(digits.replaceAll(',', '')) === wanted || Number(digits.replaceAll('.', '').replace(',', '.')) === wanted
    );
  });
}

function plain(text: string): string {
  return text
    .normalize('NFKC')
    .replace(/[\u2018\u2019\u201a\u2032]/g, "'")
    .replace(/[\u201c\u201d\u201e\u00ab\u00bb]/g, '"')
    .replace(/[\u2010-\u2015\u2212]/g, '-')
    .replace(/\s+/gu, ' ')
    .trim()
    .toLowerCase();
}
