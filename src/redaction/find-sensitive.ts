import { finish, type Steps } from '../runtime/steps.ts';
import { findAddresses } from './find-addresses.ts';
import { findCards } from './find-cards.ts';
import { findEmails } from './find-emails.ts';
import { findIbans } from './find-ibans.ts';
import { findPhones } from './find-phones.ts';
import { findSecrets } from './find-secrets.ts';
import type { Finding, RedactionPattern, RedactionPolicy, RedactionRule } from './redaction-policy.ts';

const FINDERS: Readonly<Record<RedactionRule, (text: string) => readonly Finding[]>> = {
  email: findEmails,
  phone: findPhones,
  card: findCards,
  iban: findIbans,
  ip: findAddresses,
  secret: findSecrets,
};

/**
 * Everything that the policy wants hidden in `text`, in order and without overlaps: where two findings overlap, all
 * of both is hidden under the name of the longer one. Time is linear in the length of the text.
 */
export function findSensitive(text: string, policy: RedactionPolicy): readonly Finding[] {
  return finish(findSensitiveInSteps(text, policy));
}

/** As {@link findSensitive}, yielding after each rule: ten megabytes take a rule up to 150 ms. */
export function* findSensitiveInSteps(text: string, policy: RedactionPolicy): Steps<readonly Finding[]> {
  const found: (readonly Finding[])[] = [];
  for (const rule of policy.rules) {
    found.push(FINDERS[rule](text));
    yield;
  }
  for (const pattern of policy.patterns) {
    found.push(findPattern(text, pattern));
    yield;
  }
  return mergeOverlaps(found.flat());
}

function findPattern(text: string, { name, pattern, flags }: RedactionPattern): readonly Finding[] {
  const found: Finding[] = [];
  for (const match of text.matchAll(new RegExp(pattern, `${flags}g`))) {
    if (match[0] !== '') found.push({ start: match.index, end: match.index + match[0].length, rule: name });
  }
  return found;
}

/** Findings in text order, those that overlap as one; the longest of them names its rule. */
export function mergeOverlaps(findings: readonly Finding[]): readonly Finding[] {
  const merged: Finding[] = [];
  let longest = 0;
  for (const finding of [...findings].sort((a, b) => a.start - b.start || b.end - a.end)) {
    const last = merged.at(-1);
    const length = finding.end - finding.start;
    if (last === undefined || finding.start >= last.end) {
      merged.push(finding);
      longest = length;
      continue;
    }
    const rule = length > longest ? finding.rule : last.rule;
    longest = Math.max(longest, length);
    merged[merged.length - 1] = { start: last.start, end: Math.max(last.end, finding.end), rule };
  }
  return merged;
}
