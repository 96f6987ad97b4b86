/** White space, zero-width and other invisible characters, controls, and the sign for a character that was lost. */
const UNSEEN = /^[\s\p{Cc}\p{Cf}\p{DI}\u2800\ufffd]*$/u;
const LOST = '\ufffd';
/** A text that has lost more than this share of its characters is no text any more. */
const MAX_LOST = 0.5;

/** Why a text says nothing, as the end of a sentence that begins with what it is; undefined where it may say something. */
export function findEmptiness(text: string): string | undefined {
  if (text === '') return 'is empty';
  if (UNSEEN.test(text)) {
    return text.includes(LOST)
      ? 'has only U+FFFD, the sign for a character that was lost when it was converted'
      : 'has only white space and characters that are not seen';
  }
  const lost = countLost(text);
  if (lost > text.replace(/\s+/g, '').length * MAX_LOST) {
    return `has ${lost} times U+FFFD, the sign for a character that was lost when it was converted`;
  }
  return undefined;
}

/** Warnings on characters that were lost before the text came here. */
export function warningsOfText(text: string): readonly string[] {
  const lost = countLost(text);
  return lost === 0
    ? []
    : [`characters_lost: ${lost} times U+FFFD, the sign for a character that was lost when it was converted`];
}

function countLost(text: string): number {
  let count = 0;
  for (let at = text.indexOf(LOST); at !== -1; at = text.indexOf(LOST, at + 1)) count += 1;
  return count;
}

/** The text of a row, and what its reader says of it: NUL is no text, and providers refuse it. */
export function readableText(text: string): { readonly text: string; readonly warnings?: readonly string[] } {
  const readable = text.toWellFormed().replaceAll('\0', '');
  const removed = text.length - readable.length;
  const warnings = [
    ...(removed === 0 ? [] : [`nul_removed: ${removed} NUL characters, which are no text`]),
    ...warningsOfText(readable),
  ];
  return { text: readable, ...(warnings.length === 0 ? {} : { warnings }) };
}
