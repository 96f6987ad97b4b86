/** Where a waiting call is. */
export interface QueuePosition {
  /** Who shares: the name of the workflow. */
  readonly group: string;
  /** Inside the group: the slice's turn among the batches of its workflow, the lowest first. */
  readonly turn: number;
  /** With equal turns: slices that were taken earlier come first. */
  readonly slice: number;
  /** Inside the slice: documents that are at a dearer tier are nearer to their end. */
  readonly tier: number;
  /** What it takes of the shared thing, e.g. tokens. */
  readonly cost: number;
}

interface Waiting<T> {
  readonly item: T;
  readonly position: QueuePosition;
  readonly number: number;
}

interface Group<T> {
  readonly waiting: Waiting<T>[];
  /** What it was served so far, on a scale that all groups share. */
  served: number;
}

/**
 * A waiting line in which groups share by cost, not by arrival: the group that was served least goes next. One that
 * comes after a while begins where the others are, so it neither has to catch up nor may others wait for it.
 * Pure and synchronous.
 */
export class FairQueue<T> {
  readonly #groups = new Map<string, Group<T>>();
  /** Least that a group with waiting calls was served when one was last taken. */
  #served = 0;
  #pushed = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(item: T, position: QueuePosition): void {
    let group = this.#groups.get(position.group);
    if (group === undefined) {
      group = { waiting: [], served: this.#served };
      this.#groups.set(position.group, group);
    }
    if (group.waiting.length === 0) group.served = Math.max(group.served, this.#served);
    this.#insert(group, item, position);
  }

  #insert(group: Group<T>, item: T, position: QueuePosition): void {
    const entry = { item, position, number: this.#pushed };
    this.#pushed += 1;
    group.waiting.splice(placeOf(group.waiting, entry), 0, entry);
    this.#size += 1;
  }

  /** The next one, or undefined where nobody waits. */
  take(): { readonly item: T; readonly position: QueuePosition } | undefined {
    let next: Group<T> | undefined;
    for (const group of this.#groups.values()) {
      if (group.waiting.length > 0 && (next === undefined || group.served < next.served)) next = group;
    }
    const entry = next?.waiting.shift();
    if (next === undefined || entry === undefined) return undefined;
    this.#served = next.served;
    next.served += entry.position.cost;
    this.#size -= 1;
    return entry;
  }

  /** Those that wait, those of the group that goes next first, each group in its order. */
  *waiting(): Generator<{ readonly item: T; readonly position: QueuePosition }> {
    const groups = [...this.#groups.values()].sort((a, b) => a.served - b.served);
    for (const { waiting } of groups) yield* waiting;
  }

  /** One that was taken and not served stands in line again, as if nothing had happened. */
  requeue(item: T, position: QueuePosition): void {
    const group = this.#groups.get(position.group);
    if (group === undefined) throw new RangeError(`Nothing was taken of the group ${position.group}`);
    group.served -= position.cost;
    // Neither has it come again, nor did the others get what was taken for nothing.
    this.#served = Math.min(this.#served, group.served);
    this.#insert(group, item, position);
  }

  /** Takes out one that does not wait any more; false where it is not there. */
  remove(item: T, { group: name }: QueuePosition): boolean {
    const waiting = this.#groups.get(name)?.waiting ?? [];
    const at = waiting.findIndex((entry) => entry.item === item);
    if (at === -1) return false;
    waiting.splice(at, 1);
    this.#size -= 1;
    return true;
  }
}

function placeOf<T>(waiting: readonly Waiting<T>[], entry: Waiting<T>): number {
  let from = 0;
  let to = waiting.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    const other = waiting[middle];
    if (other !== undefined && goesBefore(other, entry)) from = middle + 1;
    else to = middle;
  }
  return from;
}

function goesBefore<T>(a: Waiting<T>, b: Waiting<T>): boolean {
  if (a.position.turn !== b.position.turn) return a.position.turn < b.position.turn;
  if (a.position.slice !== b.position.slice) return a.position.slice < b.position.slice;
  if (a.position.tier !== b.position.tier) return a.position.tier > b.position.tier;
  return a.number < b.number;
}
