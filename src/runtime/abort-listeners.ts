/**
 * Those that are told when a signal aborts, for signals that thousands listen to for a moment each: adding a listener to a
 * signal and removing it again takes ten times as long as an entry in a set.
 */
export class AbortListeners<T> {
  readonly #onAbort: (one: T) => void;
  readonly #bySignal = new WeakMap<AbortSignal, Set<T>>();

  /** @param onAbort called once for each that is there when its signal aborts, in the order in which they came */
  constructor(onAbort: (one: T) => void) {
    this.#onAbort = onAbort;
  }

  /** A signal that has aborted tells nobody any more. */
  add(signal: AbortSignal, one: T): void {
    let listening = this.#bySignal.get(signal);
    if (listening === undefined) {
      listening = new Set();
      this.#bySignal.set(signal, listening);
      signal.addEventListener('abort', () => this.#tell(signal), { once: true });
    }
    listening.add(one);
  }

  delete(signal: AbortSignal, one: T): void {
    this.#bySignal.get(signal)?.delete(one);
  }

  #tell(signal: AbortSignal): void {
    const listening = this.#bySignal.get(signal) ?? new Set();
    // One that is told may end others, which are not told then.
    for (const one of listening) {
      listening.delete(one);
      this.#onAbort(one);
    }
  }
}
