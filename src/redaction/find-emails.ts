import type { Finding } from './redaction-policy.ts';

const MAX_LOCAL = 64;
const MAX_DOMAIN = 255;

/** Latin, Greek and Cyrillic letters; a text in other scripts often is next to an address without a space. */
const LOCAL_CHARACTER = /[A-Za-z0-9.!#$%&'*+/=?^_`{|}~\u00c0-\u052f-]/;
const DOMAIN_CHARACTER = /[A-Za-z0-9.\u00c0-\u052f-]/;
const LABEL = /^[A-Za-z0-9\u00c0-\u052f](?:[A-Za-z0-9\u00c0-\u052f-]{0,61}[A-Za-z0-9\u00c0-\u052f])?$/;
const TOP_LEVEL = /^(?:xn--[a-z0-9-]{2,59}|[A-Za-z\u00c0-\u052f]{2,24})$/i;
/** `icon@2x.png` is a file. */
const FILE_ENDING = /^(?:png|jpe?g|gif|svg|webp|ico|css|js|map)$/i;
/** Marks that stand before an address in running text rather than in it. */
const LEADING_MARKS = /^[.!#$%&'*/=?^`{|}~-]+/;

/** E-mail addresses. Each `@` is looked at once, with at most 319 characters around it. */
export function findEmails(text: string): readonly Finding[] {
  const found: Finding[] = [];
  for (let at = text.indexOf('@'); at !== -1; at = text.indexOf('@', at + 1)) {
    const start = localStart(text, at);
    const length = start === at || isPassword(text, start) ? 0 : domainLength(text, at + 1);
    if (length > 0) found.push({ start, end: at + 1 + length, rule: 'email' });
  }
  return found;
}

/** `https://name:password@host` is no address; the password is a secret of its own. */
function isPassword(text: string, start: number): boolean {
  return text.charAt(start - 1) === ':' && /:\/\/[^\s:@/]{1,64}:$/.test(text.slice(Math.max(0, start - 68), start));
}

function localStart(text: string, at: number): number {
  let start = at;
  while (start > 0 && at - start < MAX_LOCAL && LOCAL_CHARACTER.test(text.charAt(start - 1))) start--;
  return start + (LEADING_MARKS.exec(text.slice(start, at))?.[0].length ?? 0);
}

function domainLength(text: string, from: number): number {
  let end = from;
  while (end - from < MAX_DOMAIN && DOMAIN_CHARACTER.test(text.charAt(end))) end++;
  const labels = text.slice(from, end).split('.');
  const bad = labels.findIndex((label) => !LABEL.test(label));
  const good = bad === -1 ? labels : labels.slice(0, bad);
  while (good.length > 0 && !TOP_LEVEL.test(good.at(-1) ?? '')) good.pop();
  return good.length < 2 || FILE_ENDING.test(good.at(-1) ?? '') ? 0 : good.join('.').length;
}
