import { FUNCTION_WORDS } from './function-words.ts';
import { words } from './words.ts';

/** Only this much of a text is looked at: the answer does not change later, the cost would. */
const SAMPLE_CHARS = 4_000;

/**
 * Frequent words of other languages in Latin script that are no common English words: German, French, Spanish,
 * Portuguese, Italian, Dutch, Polish, Swedish, Danish, Turkish, Indonesian.
 */
const FOREIGN_WORDS: ReadonlySet<string> = new Set(
  `der das und nicht ist ein eine einen einem einer ich sie wir mit für auf dem den des von zu auch sich wie aus bei nach wird
  haben sind oder aber über kann mein meine ihr noch wenn
  le la les une des est et dans que qui pour pas sur avec vous nous je il elle sont mais ou où cette ce au aux du ne
  el los las una y en es por con para como pero más mi su al lo del se está muy mis hay
  o os um uma em não com do da dos das ao mais meu minha você são seu foi
  il gli di che è per sono della nel più questo anche mio mia ho
  het een van niet zijn ik je dat wij met voor op te naar maar ook mijn
  nie się jest na że z w jak mam czy
  och att det som på är inte jag för av har til ikke og jeg af med
  ve bir bu için ne çok yang dan di ini itu untuk dengan tidak saya`.split(/\s+/),
);

/**
 * Whether `text` may be English, by its letters and its most frequent words. A text is turned down only on evidence
 * (letters of another script, words of another language, no English grammar in a long text), so short texts, slang and
 * headlines pass; a text without letters passes too.
 */
export function looksEnglish(text: string): boolean {
  const sample = text.slice(0, SAMPLE_CHARS);
  const letters = count(sample, /\p{L}/gu);
  if (letters < 3) return true;
  if (count(sample, /\p{Script=Latin}/gu) < 0.7 * letters) return false;

  const tokens = words(sample).filter((word) => /^\p{L}/u.test(word));
  const english = tokens.filter((word) => FUNCTION_WORDS.has(word)).length;
  const foreign = tokens.filter((word) => FOREIGN_WORDS.has(word)).length;
  if (foreign >= 2 && foreign > english && foreign >= 0.15 * tokens.length) return false;
  // Accents are rare in English but for names; most other languages of Latin script have many.
  const accented = count(sample, /[\u00c0-\u024f\u1e00-\u1eff]/g);
  if (accented > 0.06 * letters && english === 0 && (foreign > 0 || tokens.length >= 9)) return false;
  return tokens.length < 25 || english >= 0.06 * tokens.length;
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
