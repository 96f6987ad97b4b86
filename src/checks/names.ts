/** A capital letter, then at least one more character. */
const CAPITALIZED = /^\p{Lu}[\p{L}\p{M}'’-]+$/u;
const TOKEN = /[\p{L}\p{M}\p{N}'’-]+|[.!?:;\n"“”()…]/gu;
const SENTENCE_END = /^[.!?:;\n"“”()…]$/;

/** Languages that write all nouns with a capital have more than this among their words; English has some 10 %. */
const MAX_CAPITALIZED = 0.25;
/** Endings that inflection changes: `American` for `America`. */
const STEM = 4;

/**
 * Names of at least two words in a summary of which not one word stands in the source. Words at the beginning of a
 * sentence are not taken as names. Texts in scripts without capitals have none, and where nouns are written
 * with capitals nothing is said.
 */
export function namesNotFound(summary: string, source: string): readonly string[] {
  const names = findNames(summary);
  if (names.length === 0) return [];
  const tokens = source.match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
  const capitalized = tokens.reduce((sum, token) => sum + (CAPITALIZED.test(token) ? 1 : 0), 0);
  if (capitalized > MAX_CAPITALIZED * tokens.length && tokens.length > 50) return [];
  const stems = new Set(tokens.map(stemOf));
  const missing = names.filter(
    (name) => !name.split(' ').some((word) => wordsOf(word).some((part) => stems.has(stemOf(part)))),
  );
  return [...new Set(missing)];
}

function findNames(text: string): readonly string[] {
  const names: string[] = [];
  let name: string[] = [];
  let atStart = true;
  const end = () => {
    if (name.length > 1) names.push(name.join(' '));
    name = [];
  };
  for (const [token] of text.matchAll(TOKEN)) {
    if (SENTENCE_END.test(token)) {
      end();
      atStart = true;
      continue;
    }
    if (CAPITALIZED.test(token) && !atStart) name.push(token);
    else end();
    atStart = false;
  }
  end();
  return names;
}

function wordsOf(word: string): readonly string[] {
  return word.split(/['’-]/).filter((part) => part.length > 1);
}

function stemOf(word: string): string {
  return word.toLowerCase().normalize('NFD').replace(/\p{M}/gu, '').slice(0, STEM);
}
