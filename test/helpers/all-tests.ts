/**
 * Whether tests play every seed and every pair of their rows, as `npm run test:all` does (`NIGHTMILL_TESTS=all`). Without
 * it each kind is played once, and what takes long and has its like not at all: `.ci/run` plays these files with all.
 */
export const ALL_TESTS = process.env.NIGHTMILL_TESTS === 'all';

/** Every pair of two lists; without {@link ALL_TESTS} just so many that each entry is in one. */
export function pairsOf<A, B>(first: readonly A[], second: readonly B[]): readonly (readonly [A, B])[] {
  const all = first.flatMap((a, row) => second.map((b, column) => ({ pair: [a, b] as const, row, column })));
  const isEnough = (row: number, column: number): boolean =>
    first.length >= second.length ? row % second.length === column : column % first.length === row;
  return all.filter(({ row, column }) => ALL_TESTS || isEnough(row, column)).map(({ pair }) => pair);
}
