import { countTokens } from '../../text/tokens.ts';

/** A line that lists one fact has this many tokens more than the fact. */
const LINE_TOKENS = 3;
/** A longer one is no fact but prose, and must not push the others out. */
const MAX_FACT_UNITS = 240;

/** The facts of a reply: its strings on one line each, without empty ones, and of any other value none. */
export function readFacts(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return [];
  return value
    .filter((fact) => typeof fact === 'string')
    .map((fact) => fact.slice(0, MAX_FACT_UNITS).toWellFormed().replace(/\s+/g, ' ').trim())
    .filter((fact) => fact !== '');
}

/**
 * The facts of several notes as one list in their order, each once, within `maxTokens`. Where not all fit, `preferred`
 * ones come first and then one of each note in turn, so that no part of the text is left out.
 *
 * @param preferred what the model kept when it read the notes
 */
export function mergeFacts(
  notes: readonly (readonly string[])[],
  maxTokens: number,
  preferred: readonly string[] = [],
): readonly string[] {
  const order = new Map<string, number>();
  for (const fact of notes.flat()) if (!order.has(keyOf(fact))) order.set(keyOf(fact), order.size);
  const chosen = new Map<string, string>();
  let tokens = 0;
  for (const fact of [...preferred, ...inTurn(notes)]) {
    const key = keyOf(fact);
    if (key === '' || chosen.has(key)) continue;
    const more = countTokens(fact) + LINE_TOKENS;
    if (tokens + more > maxTokens) continue;
    chosen.set(key, fact);
    tokens += more;
  }
  const place = (key: string): number => order.get(key) ?? order.size;
  return [...chosen].sort(([a], [b]) => place(a) - place(b)).map(([, fact]) => fact);
}

function* inTurn(notes: readonly (readonly string[])[]): Generator<string> {
  const longest = Math.max(0, ...notes.map((facts) => facts.length));
  for (let turn = 0; turn < longest; turn++) {
    for (const facts of notes) {
      const fact = facts[turn];
      if (fact !== undefined) yield fact;
    }
  }
}

/** Facts that differ in case, spaces or punctuation are one; a sign or a point inside a number makes another. */
function keyOf(fact: string): string {
  return (
    fact
      .toLowerCase()
      .match(/[\p{L}\p{M}]+|[-+]?\p{N}+(?:[.,]\p{N}+)*%?/gu)
      ?.join(' ') ?? ''
  );
}
