export interface Series {
  readonly name: string;
  /** One for each day, none below zero. */
  readonly values: readonly number[];
}

/** As many as can be told apart; the style sheet has one for each. */
export const COLOURS = 6;

/** The series whose sum is largest, at most `COLOURS`: the last one is all others together where there are more. */
export function largest(series: readonly Series[]): readonly Series[] {
  const sum = ({ values }: Series) => values.reduce((total, value) => total + value, 0);
  const sorted = series.toSorted((a, b) => sum(b) - sum(a));
  if (sorted.length <= COLOURS) return sorted;
  const [first = [], rest = []] = [sorted.slice(0, COLOURS - 1), sorted.slice(COLOURS - 1)];
  const values = (rest[0]?.values ?? []).map((_, at) =>
    rest.reduce((total, other) => total + (other.values[at] ?? 0), 0),
  );
  return [...first, { name: `${rest.length} others`, values }];
}
