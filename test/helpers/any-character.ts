import fc from 'fast-check';

/** Code points of halves of pairs, which no character has. */
const HALVES = { from: 0xd800, count: 0x800 };

/**
 * Any character of Unicode, for `fc.string({ unit: anyCharacter })`: the strings of fast-check's own unit `binary`, which
 * first lists all million of them, two seconds in every file.
 */
export const anyCharacter = fc.nat({ max: 0x10ffff - HALVES.count }).map(
  (index) => String.fromCodePoint(index < HALVES.from ? index : index + HALVES.count),
  (character) => {
    const codePoint = typeof character === 'string' ? character.codePointAt(0) : undefined;
    if (codePoint === undefined || String.fromCodePoint(codePoint) !== character) throw new Error('no character');
    if (codePoint < HALVES.from) return codePoint;
    if (codePoint < HALVES.from + HALVES.count) throw new Error('half of a pair');
    return codePoint - HALVES.count;
  },
);
