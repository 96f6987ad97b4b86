import type { Finding } from './redaction-policy.ts';

/** Characters of an account number by country. */
const LENGTHS: ReadonlyMap<string, number> = new Map(
  (
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 ' +
    'FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 ' +
    'LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 ' +
    'RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30'
  )
    .split(' ')
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);

const BEGINNING = /(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}/g;
const LETTER_OR_DIGIT = /[A-Za-z0-9]/;
const SEPARATOR = /[ \u00a0\u202f-]/;

/** International bank account numbers with the length of their country and a right checksum. */
export function findIbans(text: string): readonly Finding[] {
  const found: Finding[] = [];
  for (const { index } of text.matchAll(BEGINNING)) {
    const length = LENGTHS.get(text.slice(index, index + 2).toUpperCase());
    const read = length === undefined ? undefined : readCharacters(text, index, length);
    if (read !== undefined && passesModulo97(read.value)) found.push({ start: index, end: read.end, rule: 'iban' });
  }
  return found;
}

/** The next `count` letters and digits, with single separators left out; undefined where there are fewer or more. */
function readCharacters(text: string, start: number, count: number): { value: string; end: number } | undefined {
  let value = '';
  let at = start;
  for (; value.length < count; at++) {
    const character = text.charAt(at);
    if (LETTER_OR_DIGIT.test(character)) value += character;
    else if (!SEPARATOR.test(character) || !LETTER_OR_DIGIT.test(text.charAt(at + 1))) return undefined;
  }
  return LETTER_OR_DIGIT.test(text.charAt(at)) ? undefined : { value: value.toUpperCase(), end: at };
}

/** ISO 13616: the first four characters go last, letters count 10 to 35, the remainder by 97 is 1. */
function passesModulo97(iban: string): boolean {
  let remainder = 0;
  for (const character of iban.slice(4) + iban.slice(0, 4)) {
    const value = Number.parseInt(character, 36);
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return remainder === 1;
}
