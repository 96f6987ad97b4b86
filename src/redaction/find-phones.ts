import type { Finding } from './redaction-policy.ts';

/** Between two digits of a number at most two of these. */
const GAP = '[ \\u00a0\\u202f().\\/\\u2010\\u2011\\u2013-]{0,2}';
/** Numbers continue with a digit or a letter, or with a decimal. */
const END = '(?![\\w%]|[.,:]\\d)';

/** `+49 (0) 170 1234567`, `0049 170 1234567` */
const INTERNATIONAL = new RegExp(`(?<![\\w+])(?:\\+|00(?=[1-9]))(?:${GAP}\\d){7,15}${END}`, 'g');
/** `(212) 555-0123`, `212-555-0123`, `1.212.555.0123` */
const NORTH_AMERICAN = new RegExp(
  `(?<![\\w+.-])(?:1[ .-])?(?:\\([2-9]\\d{2}\\)[ -]?[2-9]\\d{2}[ .-]|[2-9]\\d{2}([.-])[2-9]\\d{2}\\1)\\d{4}${END}`,
  'g',
);
/** `089 / 123 45 67`, `020 7946 0958`, `06.12.34.56.78` */
const WITH_TRUNK_PREFIX = new RegExp(`(?<![\\w+.,:/-]|\\d )\\(?0[1-9](?:${GAP}\\d){7,10}${END}`, 'g');
/** A word that says so makes any number one. */
const NAMED = new RegExp(
  '(?<![\\p{L}])(?:tel|telefon|telephone|teléfono|telefono|tél|téléphone|phone|mobile|mobil|móvil|cell|fax|handy|whatsapp|' +
    'hotline|rufnummer|durchwahl|call(?: me)?(?: at| on)?|ring|dial)(?: (?:no|nr|number))?[.:]?[ :(]{0,3}' +
    `(\\+?\\d(?:${GAP}\\d){5,14})${END}`,
  'giu',
);

const DATE =
  /^\(?(?:\d{1,2}[./-]\d{1,2}[./-](?:19|20)\d{2}|(?:19|20)\d{2}[./-]\d{1,2}[./-]\d{1,2}|\d{1,2} \d{1,2} (?:19|20)\d{2})(?!\d)/;

/** Phone numbers: international ones, the ways in which national ones are written, and those that a word announces. */
export function findPhones(text: string): readonly Finding[] {
  const found: Finding[] = [];
  const add = (start: number, value: string) => {
    if (!DATE.test(value)) found.push({ start, end: start + value.length, rule: 'phone' });
  };
  for (const match of text.matchAll(INTERNATIONAL)) add(match.index, match[0]);
  for (const match of text.matchAll(NORTH_AMERICAN)) add(match.index, match[0]);
  for (const match of text.matchAll(WITH_TRUNK_PREFIX)) {
    // In one piece it may as well be an order number.
    if (/\d[^\d]+\d/.test(match[0])) add(match.index, match[0]);
  }
  for (const match of text.matchAll(NAMED)) {
    const value = match[1] ?? '';
    add(match.index + match[0].length - value.length, value);
  }
  return found;
}
