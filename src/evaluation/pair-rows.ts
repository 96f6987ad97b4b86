interface Named {
  readonly id: string;
}

export type RowPair<T> =
  | { readonly kind: 'both'; readonly a: T; readonly b: T }
  | { readonly kind: 'a' | 'b'; readonly row: T };

/**
 * Brings the rows of two batches together by id, reading both at the same pace: rows in about the same order wait for each
 * other only briefly, so that memory holds what is out of step and not the batches.
 */
export async function* pairRows<T extends Named>(a: AsyncIterable<T>, b: AsyncIterable<T>): AsyncGenerator<RowPair<T>> {
  const sides = [sideOf(a), sideOf(b)] as const;
  while (!sides[0].hasEnded || !sides[1].hasEnded) {
    for (const [index, side] of sides.entries()) {
      if (side.hasEnded) continue;
      const { value: row, done } = await side.rows.next();
      if (done === true) {
        side.hasEnded = true;
        continue;
      }
      const others = sides[index === 0 ? 1 : 0].waiting;
      const other = others.get(row.id);
      if (other === undefined) {
        side.waiting.set(row.id, row);
        continue;
      }
      others.delete(row.id);
      yield index === 0 ? { kind: 'both', a: row, b: other } : { kind: 'both', a: other, b: row };
    }
  }
  for (const row of sides[0].waiting.values()) yield { kind: 'a', row };
  for (const row of sides[1].waiting.values()) yield { kind: 'b', row };
}

interface Side<T> {
  readonly rows: AsyncIterator<T>;
  /** Read, and not yet seen on the other side. */
  readonly waiting: Map<string, T>;
  hasEnded: boolean;
}

function sideOf<T>(rows: AsyncIterable<T>): Side<T> {
  return { rows: rows[Symbol.asyncIterator](), waiting: new Map(), hasEnded: false };
}
