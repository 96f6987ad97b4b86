/** What the cheap tier has said of one item. */
export interface CheapAnswer {
  readonly label: string;
  /** 0 to 1; undefined, and whatever is not a number from 0 to 1: unknown, never accepted. */
  readonly confidence: number | undefined;
}

/** Items at the least, if there are as many. */
const MIN_PILOT = 20;

/**
 * Over all labels and confidences from a random start, and five times as densely where a label's confidence is lowest as where it
 * is highest: what is asked for there goes to the strong tier anyway, so its label is free.
 */
export function pilotSample(
  known: readonly number[],
  answers: readonly CheapAnswer[],
  wanted: number,
  random: () => number,
): number[] {
  const count = Math.min(known.length, Math.max(wanted, Math.min(MIN_PILOT, known.length)));
  const sorted = [...known].sort(
    (a, b) =>
      compareText(labelOf(answers, a), labelOf(answers, b)) || confidenceOf(answers, b) - confidenceOf(answers, a),
  );
  const sizes = new Map<string, number>();
  for (const item of sorted) sizes.set(labelOf(answers, item), (sizes.get(labelOf(answers, item)) ?? 0) + 1);
  const ends: number[] = [];
  let end = 0;
  let rank = 0;
  for (const [index, item] of sorted.entries()) {
    const label = labelOf(answers, item);
    rank = index > 0 && label === labelOf(answers, sorted[index - 1] ?? item) ? rank + 1 : 0;
    end += MIN_DENSITY + (rank + 0.5) / (sizes.get(label) ?? 1);
    ends.push(end);
  }
  const start = random();
  const chosen: number[] = [];
  for (const [index, item] of sorted.entries()) {
    const isNext = (ends[index] ?? 0) > ((chosen.length + start) * end) / count;
    const areAllNeeded = sorted.length - index <= count - chosen.length;
    if (chosen.length < count && (isNext || areAllNeeded)) chosen.push(item);
  }
  return chosen;
}

const MIN_DENSITY = 0.25;

export function labelOf(answers: readonly CheapAnswer[], item: number): string {
  return answers[item]?.label ?? '';
}

export function confidenceOf(answers: readonly CheapAnswer[], item: number): number {
  return answers[item]?.confidence ?? 0;
}

/** By code units, so that a calibration is the same on every machine. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
