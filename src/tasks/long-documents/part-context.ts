import type { Chunk } from '../../text/chunk-text.ts';
import { countTokens } from '../../text/tokens.ts';

/** A heading that the part itself begins with is not told twice. */
const LOOKED_AT_UNITS = 1_000;

/**
 * What a part is shown besides its own text: the headings that it lies under and the end of the part before. Empty
 * where there is neither.
 *
 * @param headingTokens most tokens of the headings; outer ones are left out first
 */
export function partContext(text: string, chunk: Chunk, headingTokens: number): string {
  const beginning = text.slice(chunk.start, Math.min(chunk.end, chunk.start + LOOKED_AT_UNITS));
  const ownLines = new Set(beginning.split('\n').map((line) => line.replace(/^[ #]+|[ #\r]+$/g, '')));
  const path: string[] = [];
  for (const heading of chunk.headingPath.toReversed()) {
    if (ownLines.has(heading)) continue;
    if (countTokens([heading, ...path].join(' > ')) > headingTokens) break;
    path.unshift(heading);
  }
  const before = text.slice(chunk.overlapStart, chunk.start).trim();
  return [
    ...(path.length === 0 ? [] : [`Headings: ${path.join(' > ')}`]),
    ...(before === '' ? [] : [`Before: ${before}`]),
  ].join('\n');
}
