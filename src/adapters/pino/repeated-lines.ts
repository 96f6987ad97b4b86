/** Events that a broken dependency makes come by the thousand, each line like the last but for a number. */
const REPEATING: ReadonlySet<string> = new Set(['worker:error', 'housekeeping:failed', 'cache:failed']);
const ONCE_IN_MS = 1_000;
/** So many kinds of lines are told apart; then counting starts over. */
const MAX_KINDS = 1_000;

/**
 * Lets the same line through once a second. The next one that passes says how many were left out in between.
 *
 * @param now milliseconds of a clock that never goes back
 */
export class RepeatedLines {
  readonly #kinds = new Map<string, { at: number; left: number }>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Undefined: leave this line out. Else how many lines like it were left out since the last one. */
  pass(event: string, fields: Readonly<Record<string, unknown>> | undefined): number | undefined {
    if (!REPEATING.has(event)) return 0;
    const kind = `${event} ${JSON.stringify(fields ?? {}).replace(/[0-9a-f]*\d[0-9a-f]*/gi, '#')}`;
    const now = this.#now();
    const known = this.#kinds.get(kind);
    if (known !== undefined && now - known.at < ONCE_IN_MS) {
      known.left += 1;
      return undefined;
    }
    if (this.#kinds.size >= MAX_KINDS) this.#kinds.clear();
    this.#kinds.set(kind, { at: now, left: 0 });
    return known?.left ?? 0;
  }
}
