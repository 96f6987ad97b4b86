import { isIPv6 } from 'node:net';
import type { Finding } from './redaction-policy.ts';

const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d{2}|[1-9]?\\d)';
const V4 = new RegExp(`(?<![\\w.-])${OCTET}(?:\\.${OCTET}){3}(?![\\w-]|\\.\\d)`, 'g');
const V6 =
  /(?<![\w:.])(?:[0-9a-fA-F]{0,4}:){2,7}(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F]{0,4})(?:%[A-Za-z0-9]{1,16})?(?![\w:]|\.\d)/g;

const BEFORE_CHARS = 24;
/** What comes before four numbers that are no address. */
const NUMBERED =
  /(?:(?:\bv|\bver|\bversions?|\brelease|\bbuild|\bfirmware|\brev|\brevision|§)[.:]?\s{0,2}|\b(?:sections?|chapter|clause|appendix)[.:]?\s{0,12})$/i;
const LINE_START = /(?:^|\n)[ \t]{0,16}$/;

/** Internet addresses, version 4 and 6, without port or prefix length. */
export function findAddresses(text: string): readonly Finding[] {
  const found: Finding[] = [];
  for (const match of text.matchAll(V4)) {
    if (!isNumbering(text, match[0], match.index)) found.push(findingOf(match));
  }
  for (const match of text.matchAll(V6)) {
    const [address = ''] = match[0].split('%');
    const groups = address.split(':').filter((group) => group !== '').length;
    // `::face` and `a::b` are more often code than an address.
    if (((groups > 1 && /\d/.test(address)) || address === '::1') && isIPv6(address)) found.push(findingOf(match));
  }
  return found;
}

function findingOf(match: RegExpExecArray): Finding {
  return { start: match.index, end: match.index + match[0].length, rule: 'ip' };
}

function isNumbering(text: string, address: string, at: number): boolean {
  const before = text.slice(Math.max(0, at - BEFORE_CHARS), at);
  if (NUMBERED.test(before)) return true;
  // A heading: `3.2.1.4 Frame types`, `8.1.1.5 CSeq`, `13.2.2.1 1xx Responses`; not `10.1.1.5 GET /`.
  const small = address.split('.').every((octet) => octet.length < 3 && Number(octet) < 30 && octet !== '0');
  return (
    small && LINE_START.test(before) && /^\.?[ \t]{1,16}(?:[A-Z]{1,5}[a-z]|\dxx)/.test(text.slice(at + address.length))
  );
}
