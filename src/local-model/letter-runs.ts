import { words } from './words.ts';

/** Lengths of the runs of letters that are compared, in characters; the space between words is one. */
const RUN_LENGTHS: readonly number[] = [3, 4, 5];
/** Later characters of a text are not read: these say which words it uses. */
const READ_CHARACTERS = 2_000;

/** How alike the letters of a text are to each text of an index, 0 to 1, in the order of the index. */
export type LetterSimilarities = (text: string) => Float64Array;

/**
 * Compares texts by the short runs of letters that they share: "refunded" is near "a refund", whatever an encoder makes
 * of them. Cosine of TF-IDF weights; a run that no text of the index has counts as the rarest.
 */
export function letterIndex(texts: readonly string[]): LetterSimilarities {
  const counts = texts.map(runsOf);
  const textsWith = new Map<string, number>();
  for (const own of counts) for (const run of own.keys()) textsWith.set(run, (textsWith.get(run) ?? 0) + 1);
  const rarity = (run: string) => Math.log((texts.length + 1) / ((textsWith.get(run) ?? 0) + 0.3));
  const postings = new Map<string, { readonly text: number; readonly weight: number }[]>();
  for (const [text, own] of counts.entries()) {
    for (const [run, weight] of weightsOf(own, rarity)) {
      const known = postings.get(run);
      if (known === undefined) postings.set(run, [{ text, weight }]);
      else known.push({ text, weight });
    }
  }
  return (text) => {
    const similarities = new Float64Array(texts.length);
    for (const [run, weight] of weightsOf(runsOf(text), rarity)) {
      for (const other of postings.get(run) ?? []) {
        similarities[other.text] = (similarities[other.text] ?? 0) + weight * other.weight;
      }
    }
    return similarities;
  };
}

function runsOf(text: string): Map<string, number> {
  const letters = ` ${words(text.slice(0, READ_CHARACTERS)).join(' ')} `;
  const counts = new Map<string, number>();
  for (const length of RUN_LENGTHS) {
    for (let start = 0; start + length <= letters.length; start++) {
      const run = letters.slice(start, start + length);
      counts.set(run, (counts.get(run) ?? 0) + 1);
    }
  }
  return counts;
}

/** Of length 1 together. */
function weightsOf(counts: Map<string, number>, rarity: (run: string) => number): Map<string, number> {
  const weights = new Map<string, number>();
  let squares = 0;
  for (const [run, count] of counts) {
    const weight = (1 + Math.log(count)) * rarity(run);
    weights.set(run, weight);
    squares += weight * weight;
  }
  const length = Math.sqrt(squares);
  if (length > 0) for (const [run, weight] of weights) weights.set(run, weight / length);
  return weights;
}
