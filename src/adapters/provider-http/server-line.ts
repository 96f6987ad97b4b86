/**
 * The calls that are under way at one server, in the order in which they were sent. A server with fewer hands than calls
 * takes them up in about that order, so an answer to one says that those behind it have moved up.
 */
export class ServerLine {
  readonly #now: () => number;
  #last: CallInLine | undefined;

  /** @param now milliseconds that only grow */
  constructor(now: () => number) {
    this.#now = now;
  }

  enter(): CallInLine {
    const call = new CallInLine(this.#last);
    if (this.#last !== undefined) this.#last.after = call;
    this.#last = call;
    return call;
  }

  /** @param isAnswered else it has ended in another way */
  leave(call: CallInLine, isAnswered: boolean): void {
    const { before, after } = call;
    if (before !== undefined) before.after = after;
    if (after === undefined) {
      this.#last = before;
      return;
    }
    after.before = before;
    // Told to the next one alone, and asked of all before: answers are many, and few calls ever ask.
    after.toldAt = isAnswered ? this.#now() : Math.max(after.toldAt, call.toldAt);
  }
}

/** The place of one call in the line. */
export class CallInLine {
  before: CallInLine | undefined;
  after: CallInLine | undefined;
  /** When this one and all behind it were last told to move up. */
  toldAt = Number.NEGATIVE_INFINITY;

  constructor(before: CallInLine | undefined) {
    this.before = before;
  }

  /** When a call that was sent before this one was last answered while both were in the line; minus infinity: none was. */
  get movedUpAt(): number {
    let at = this.toldAt;
    for (let call = this.before; call !== undefined; call = call.before) at = Math.max(at, call.toldAt);
    return at;
  }
}
