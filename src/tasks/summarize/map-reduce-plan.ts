/**
 * Which notes the calls of one level read: `[[0, 4], [4, 8]]` = two calls, four notes each, in order. A group of one note
 * is passed on without a call.
 */
export type ReduceLevel = readonly (readonly [from: number, to: number])[];

export interface MapReducePlan {
  readonly mapCalls: number;
  /** From the level that reads the map notes to the one that writes the result; empty when one part needs none. */
  readonly levels: readonly ReduceLevel[];
  /** All calls, known before the first one. */
  readonly calls: number;
}

/**
 * Plans the reduce tree over the notes of `parts` parts. Every level is at least half as wide as the one before is
 * long, so it ends: the depth is at most log2(parts).
 *
 * @param parts number of map calls
 * @param fanIn notes that fit one reduce call, at least 2
 */
export function planMapReduce(parts: number, fanIn: number): MapReducePlan {
  if (fanIn < 2) throw new RangeError(`A reduce call must read at least two notes; this window holds ${fanIn}`);
  const levels: ReduceLevel[] = [];
  let calls = parts;
  for (let width = parts; width > 1; ) {
    const level = splitEvenly(width, Math.ceil(width / fanIn));
    levels.push(level);
    calls += level.filter(([from, to]) => to - from > 1).length;
    width = level.length;
  }
  return { mapCalls: parts, levels, calls };
}

/** Consecutive ranges over `width` notes whose sizes differ by at most one. */
function splitEvenly(width: number, groups: number): ReduceLevel {
  return Array.from({ length: groups }, (_, index) => [
    Math.floor((index * width) / groups),
    Math.floor(((index + 1) * width) / groups),
  ]);
}
