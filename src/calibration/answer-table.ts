/** Answers of several models to the same items, by model and then by item. */
export interface AnswerTable {
  readonly models: readonly string[];
  readonly items: number;
  /** 1: right (or in agreement with the reference), 0: not. */
  readonly right: readonly Uint8Array[];
  /** NaN: unknown, never accepted. */
  readonly confidence: readonly Float64Array[];
  readonly cost: readonly Float64Array[];
}

/** Models that are asked one after another; all but the last answer only from their threshold on. */
export interface Cascade {
  readonly tiers: readonly number[];
  /** One fewer than tiers. */
  readonly thresholds: readonly number[];
}

/** Position in the cascade of the tier that answers an item. */
export function answeringTier({ confidence }: AnswerTable, { tiers, thresholds }: Cascade, item: number): number {
  for (const [position, threshold] of thresholds.entries()) {
    if ((confidence[tiers[position] as number]?.[item] ?? Number.NaN) >= threshold) return position;
  }
  return tiers.length - 1;
}

export function isRight(table: AnswerTable, cascade: Cascade, item: number): boolean {
  return table.right[cascade.tiers[answeringTier(table, cascade, item)] as number]?.[item] === 1;
}

/** Of all tiers that are asked for the item. */
export function costOf(table: AnswerTable, cascade: Cascade, item: number): number {
  const last = answeringTier(table, cascade, item);
  return cascade.tiers.slice(0, last + 1).reduce((sum, model) => sum + (table.cost[model]?.[item] ?? 0), 0);
}

export function meanOf(values: ArrayLike<number> | undefined, items: readonly number[]): number {
  if (values === undefined || items.length === 0) return 0;
  return items.reduce((sum, item) => sum + (values[item] ?? 0), 0) / items.length;
}
