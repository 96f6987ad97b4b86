/**
 * The Porter stemmer (M. F. Porter, "An algorithm for suffix stripping", 1980), in its original form.
 * `stem('relational') === 'relat'`.
 */

/** No English word is longer; longer strings are no words and would only cost time. */
const MAX_STEMMED_CHARS = 40;

const CONSONANT = '[^aeiou]';
const VOWEL = '[aeiouy]';
const CONSONANTS = `${CONSONANT}[^aeiouy]*`;
const VOWELS = `${VOWEL}[aeiou]*`;
const MEASURE_ABOVE_0 = new RegExp(`^(${CONSONANTS})?${VOWELS}${CONSONANTS}`);
const MEASURE_IS_1 = new RegExp(`^(${CONSONANTS})?${VOWELS}${CONSONANTS}(${VOWELS})?$`);
const MEASURE_ABOVE_1 = new RegExp(`^(${CONSONANTS})?${VOWELS}${CONSONANTS}${VOWELS}${CONSONANTS}`);
const HAS_VOWEL = new RegExp(`^(${CONSONANTS})?${VOWEL}`);
const ENDS_CVC = new RegExp(`^${CONSONANTS}${VOWEL}[^aeiouwxy]$`);

const STEP_2: Readonly<Record<string, string>> = {
  ational: 'ate',
  tional: 'tion',
  enci: 'ence',
  anci: 'ance',
  izer: 'ize',
  bli: 'ble',
  alli: 'al',
  entli: 'ent',
  eli: 'e',
  ousli: 'ous',
  ization: 'ize',
  ation: 'ate',
  ator: 'ate',
  alism: 'al',
  iveness: 'ive',
  fulness: 'ful',
  ousness: 'ous',
  aliti: 'al',
  iviti: 'ive',
  biliti: 'ble',
  logi: 'log',
};
const STEP_3: Readonly<Record<string, string>> = {
  icate: 'ic',
  ative: '',
  alize: 'al',
  iciti: 'ic',
  ical: 'ic',
  ful: '',
  ness: '',
};
const STEP_2_SUFFIX = suffixPattern(Object.keys(STEP_2));
const STEP_3_SUFFIX = suffixPattern(Object.keys(STEP_3));
const STEP_4_SUFFIX = /^(.+?)(al|ance|ence|er|ic|able|ible|ant|ement|ment|ent|ou|ism|ate|iti|ous|ive|ize)$/;
const STEP_4_ION = /^(.+?)(s|t)(ion)$/;

/** The stem of a lower-case English word; words with other characters than a-z, or shorter than 3, come back as they are. */
export function stem(word: string): string {
  if (word.length < 3 || word.length > MAX_STEMMED_CHARS || !/^[a-z]+$/.test(word)) return word;
  // A `y` that starts a word acts as a consonant; upper case hides it from the vowel patterns.
  let current = word.startsWith('y') ? `Y${word.slice(1)}` : word;
  current = stripPlural(current);
  current = stripPast(current);
  if (/^.+y$/.test(current) && HAS_VOWEL.test(current.slice(0, -1))) current = `${current.slice(0, -1)}i`;
  current = replaceSuffix(current, STEP_2_SUFFIX, STEP_2);
  current = replaceSuffix(current, STEP_3_SUFFIX, STEP_3);
  current = stripLongSuffix(current);
  current = stripFinalE(current);
  return current.startsWith('Y') ? `y${current.slice(1)}` : current;
}

/** A function with a memory of the stems of one document or one training run. */
export function cachedStemmer(): (word: string) => string {
  const known = new Map<string, string>();
  return (word) => {
    let found = known.get(word);
    if (found === undefined) {
      found = stem(word);
      known.set(word, found);
    }
    return found;
  };
}

function stripPlural(word: string): string {
  if (/^.+?(ss|i)es$/.test(word)) return word.slice(0, -2);
  return /^.+?[^s]s$/.test(word) ? word.slice(0, -1) : word;
}

function stripPast(word: string): string {
  if (word.endsWith('eed')) return MEASURE_ABOVE_0.test(word.slice(0, -3)) ? word.slice(0, -1) : word;
  const base = /^(.+?)(?:ed|ing)$/.exec(word)?.[1];
  if (base === undefined || !HAS_VOWEL.test(base)) return word;
  if (/(at|bl|iz)$/.test(base)) return `${base}e`;
  if (/([^aeiouylsz])\1$/.test(base)) return base.slice(0, -1);
  return ENDS_CVC.test(base) ? `${base}e` : base;
}

function replaceSuffix(word: string, suffix: RegExp, replacements: Readonly<Record<string, string>>): string {
  const [, base = '', ending = ''] = suffix.exec(word) ?? [];
  return base !== '' && MEASURE_ABOVE_0.test(base) ? base + (replacements[ending] ?? '') : word;
}

function stripLongSuffix(word: string): string {
  const suffix = STEP_4_SUFFIX.exec(word);
  if (suffix !== null) {
    const base = suffix[1] ?? '';
    return MEASURE_ABOVE_1.test(base) ? base : word;
  }
  const base = STEP_4_ION.test(word) ? word.slice(0, -3) : '';
  return MEASURE_ABOVE_1.test(base) ? base : word;
}

function stripFinalE(word: string): string {
  let current = word;
  if (current.endsWith('e')) {
    const base = current.slice(0, -1);
    if (MEASURE_ABOVE_1.test(base) || (MEASURE_IS_1.test(base) && !ENDS_CVC.test(base))) current = base;
  }
  return current.endsWith('ll') && MEASURE_ABOVE_1.test(current) ? current.slice(0, -1) : current;
}

/** Lazy base and alternatives tried at each length: the longest suffix wins. */
function suffixPattern(suffixes: readonly string[]): RegExp {
  return new RegExp(`^(.+?)(${suffixes.join('|')})$`);
}
