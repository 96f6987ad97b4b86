/** What the classifier reads of a text at most: evenly spaced windows of a longer one. */
export const MAX_READ_CHARS = 16_000;
const WINDOWS = 40;
/** One less than a fortieth, for the space between two windows. */
const WINDOW_CHARS = MAX_READ_CHARS / WINDOWS - 1;

/**
 * The part of `text` that a classifier reads: white space folded to single spaces, and of more than 16,000 characters
 * 40 windows of 399, evenly spaced from the beginning to the end. So the cost of a text is bounded, whatever it is.
 * The result is well-formed Unicode.
 */
export function sampleText(text: string): string {
  const folded = text.replace(/\s+/g, ' ').trim();
  if (folded.length <= MAX_READ_CHARS) return folded.toWellFormed();
  const stride = (folded.length - WINDOW_CHARS) / (WINDOWS - 1);
  return Array.from({ length: WINDOWS }, (_, i) => {
    const start = Math.round(i * stride);
    return folded.slice(start, start + WINDOW_CHARS);
  })
    .join(' ')
    .toWellFormed();
}
