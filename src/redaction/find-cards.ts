import type { Finding } from './redaction-policy.ts';

/** Digits in groups, one separator between two groups. */
const DIGIT_GROUP = /\d+/g;
const SEPARATOR = /^[ \u00a0\u202f.\u2010\u2011\u2013-]$/;
const MIN_DIGITS = 13;
const MAX_DIGITS = 19;

/** How the numbers of the payment networks begin, and how long they are. */
const NETWORKS: readonly (readonly [start: RegExp, lengths: readonly number[]])[] = [
  [/^4/, [13, 16, 19]],
  [/^(?:5[1-5]|2(?:2[2-9]|[3-6]\d|7[01]|720))/, [16]],
  [/^3[47]/, [15]],
  [/^(?:6011|64[4-9]|65)/, [16, 17, 18, 19]],
  [/^35(?:2[89]|[3-8])/, [16, 17, 18, 19]],
  [/^3(?:0[0-5]|[689])/, [14, 16]],
  [/^62/, [16, 17, 18, 19]],
  [/^(?:5018|5020|5038|5893|6304|6759|676[1-3])/, [13, 14, 15, 16, 17, 18, 19]],
  [/^(?:220[0-4]|60|81|82|508|9792)/, [16]],
];

interface Group {
  readonly start: number;
  readonly end: number;
}

/** Payment card numbers: written in one piece or in groups, of a known network, with a right check digit. */
export function findCards(text: string): readonly Finding[] {
  const found: Finding[] = [];
  let sequence: Group[] = [];
  const endSequence = () => {
    for (let first = 0; first < sequence.length; ) {
      const next = cardAt(text, sequence, first);
      const last = next === undefined ? undefined : sequence[next - 1];
      if (last !== undefined) found.push({ start: sequence[first]?.start ?? 0, end: last.end, rule: 'card' });
      first = next ?? first + 1;
    }
    sequence = [];
  };
  for (const match of text.matchAll(DIGIT_GROUP)) {
    const group = { start: match.index, end: match.index + match[0].length };
    const before = sequence.at(-1);
    const joined = before?.end === group.start - 1 && SEPARATOR.test(text.charAt(before.end));
    if (!joined) endSequence();
    sequence.push(group);
  }
  endSequence();
  return found;
}

/** The group after the card number that begins with group `first`. */
function cardAt(text: string, groups: readonly Group[], first: number): number | undefined {
  const opening = groups[first];
  if (opening === undefined || /[A-Za-z_]/.test(text.charAt(opening.start - 1))) return undefined;
  let digits = '';
  for (let next = first; next < groups.length; next++) {
    const group = groups[next];
    if (group === undefined || digits.length + group.end - group.start > MAX_DIGITS) return undefined;
    if (next > first && text.charAt(group.start - 1) !== text.charAt(opening.end)) return undefined;
    digits += text.slice(group.start, group.end);
    const whole = !/[A-Za-z_]/.test(text.charAt(group.end));
    if (digits.length >= MIN_DIGITS && whole && isCardNumber(digits)) return next + 1;
    // Cards are printed in groups of four to eight digits; shorter ones make a table of figures.
    if (group.end - group.start < 4) return undefined;
  }
  return undefined;
}

function isCardNumber(digits: string): boolean {
  return (
    NETWORKS.some(([start, lengths]) => lengths.includes(digits.length) && start.test(digits)) && passesLuhn(digits)
  );
}

/** @param digits nothing but `0` to `9` */
function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let place = 0; place < digits.length; place++) {
    const digit = Number(digits.charAt(digits.length - 1 - place));
    const doubled = place % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
