/** Text beyond this is not looked at: an answer never needs it, and the cost of an answer must not grow with the document. */
const READ_CHARACTERS = 16_000;
/** Bounds scripts that put no spaces between words. */
const CHARACTERS_PER_WORD = 8;

/** The first sentences of the document that fit together into `maxWords`, at least a part of the first. */
export function firstSentences(document: string, maxWords: number): string {
  const chosen: string[] = [];
  let words = 0;
  for (const sentence of sentencesOf(document)) {
    const length = wordsOf(sentence).length;
    if (chosen.length > 0 && words + length > maxWords) break;
    chosen.push(sentence);
    words += length;
  }
  const text = wordsOf(chosen.join(' ')).slice(0, maxWords).join(' ');
  return text === '' ? 'The document has no text.' : cutAtWord(text, maxWords * CHARACTERS_PER_WORD);
}

/** Sentences with single spaces, in document order. */
export function sentencesOf(document: string): readonly string[] {
  return document
    .slice(0, READ_CHARACTERS)
    .replace(/\s+/g, ' ')
    .trim()
    .split(/(?<=[.!?]) |(?<=。)/u);
}

/** Cuts to at most `maxCharacters`, at a space where there is one. */
function cutAtWord(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text;
  const cut = text
    .slice(0, maxCharacters)
    .toWellFormed()
    .replace(/\ufffd$/, '');
  const space = cut.lastIndexOf(' ');
  return space > 0 ? cut.slice(0, space) : cut;
}

/** The largest length that the prompt allows, e.g. 120 in "40 to 120 words"; undefined where it names none. */
export function wordLimit(instructions: string): number | undefined {
  const match = /(\d{1,5})[ -]words?\b/i.exec(instructions);
  return match === null ? undefined : Math.max(1, Number(match[1]));
}

function wordsOf(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
