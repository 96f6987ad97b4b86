/**
 * The calls that are under way at one server, in the order in which they were sent. A server with fewer hands than calls
 * takes them up in about that order, so an answer to one says that those behind it have moved up.
 */
export class ServerLine {
  readonly #calls = new Set<() => void>();

  /** @param movedUp told whenever a call that was sent before it is answered */
  enter(movedUp: () => void): void {
    this.#calls.add(movedUp);
  }

  leave(movedUp: () => void, isAnswered: boolean): void {
    if (isAnswered) {
      let isBehind = false;
      for (const call of this.#calls) {
        if (isBehind) call();
        else isBehind = call === movedUp;
      }
    }
    this.#calls.delete(movedUp);
  }
}
