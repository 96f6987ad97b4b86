import type { Finding } from './redaction-policy.ts';

/** Keys that say by their beginning what they are. */
const PREFIXED = new RegExp(
  `(?<![A-Za-z0-9_-])(?:${[
    'sk-[A-Za-z0-9_-]{16,512}',
    '(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{10,256}',
    'gh[oprsu]_[A-Za-z0-9]{30,256}',
    'github_pat_[A-Za-z0-9_]{20,256}',
    'glpat-[A-Za-z0-9_-]{16,256}',
    'xox[abeoprs]-[A-Za-z0-9-]{10,256}',
    '(?:AKIA|ASIA)[0-9A-Z]{16}',
    'AIza[A-Za-z0-9_-]{30,64}',
    'ya29\\.[A-Za-z0-9_-]{20,512}',
    'eyJ[A-Za-z0-9_-]{8,4096}\\.eyJ[A-Za-z0-9_-]{8,8192}(?:\\.[A-Za-z0-9_-]{0,2048})?',
    'npm_[A-Za-z0-9]{30,64}',
    'pypi-[A-Za-z0-9_-]{30,512}',
    'hf_[A-Za-z0-9]{30,64}',
    'SG\\.[A-Za-z0-9_-]{16,64}\\.[A-Za-z0-9_-]{16,128}',
    'dop_v1_[a-f0-9]{64}',
    'shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{32}',
    'whsec_[A-Za-z0-9+/=]{16,128}',
    'AC[a-f0-9]{32}',
  ].join('|')})(?![A-Za-z0-9])`,
  'g',
);

/** `api_key = "…"`: the name, then the value. */
const ASSIGNED =
  /(?<![A-Za-z0-9])(?:[A-Za-z0-9]{1,32}[_-]){0,3}(?:api[_-]?key|access[_-]?key|secret[_-]?key|private[_-]?key|key|secret|token|password|passwd|passwort|pwd|bearer|credentials?)["']?\s{0,3}(?:[:=]{1,2}>?\s{0,3}|(?<=bearer)\s)["'`]?([^\s"'`<>[\],;(){}]{6,4096})/gi;
/** Names that make even a short value secret. */
const IS_PASSWORD = /(?:password|passwd|passwort|pwd)["']?\s{0,3}[:=]/i;

/** `https://name:password@host` */
const IN_URL = /:\/\/[^\s:@/[\]]{1,64}:([^\s@/[\]]{1,128})@/g;

const KEY_MARK = /-----(BEGIN|END) [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----/g;

const MIN_KEY_CHARS = 16;
/** Bits per character; words of a language have under 3, random keys of 20 characters over 3.5. */
const MIN_ENTROPY = 3;

/** API keys, tokens, passwords and private keys. */
export function findSecrets(text: string): readonly Finding[] {
  const found: Finding[] = [];
  const add = (start: number, value: string) => {
    found.push({ start, end: start + value.length, rule: 'secret' });
  };
  for (const match of text.matchAll(PREFIXED)) add(match.index, match[0]);
  for (const match of text.matchAll(ASSIGNED)) {
    const value = (match[1] ?? '').replace(/[.:]+$/, '');
    const start = match.index + match[0].length - (match[1] ?? '').length;
    if (IS_PASSWORD.test(match[0]) ? looksLikePassword(value) : looksLikeKey(value)) add(start, value);
  }
  for (const match of text.matchAll(IN_URL)) {
    const value = match[1] ?? '';
    add(match.index + match[0].length - 1 - value.length, value);
  }
  findPrivateKeys(text, add);
  return found;
}

function findPrivateKeys(text: string, add: (start: number, value: string) => void): void {
  let begin: number | undefined;
  for (const match of text.matchAll(KEY_MARK)) {
    if (match[1] === 'BEGIN') begin ??= match.index;
    else if (begin !== undefined) {
      add(begin, text.slice(begin, match.index + match[0].length));
      begin = undefined;
    }
  }
}

/** Not a word of a sentence such as `password: required`. */
function looksLikePassword(value: string): boolean {
  return value.length >= 6 && /[\d!@#$%^&*+=~?]/.test(value);
}

function looksLikeKey(value: string): boolean {
  if (value.length < MIN_KEY_CHARS || !/\d/.test(value) || !/[A-Za-z]/.test(value)) return false;
  return entropy(value) >= MIN_ENTROPY;
}

/** Bits per character by the characters' own frequencies. */
function entropy(value: string): number {
  const counts = new Map<string, number>();
  for (const character of value) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / value.length) * Math.log2(count / value.length);
  return bits;
}
