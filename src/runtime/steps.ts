/**
 * Work that may be interrupted: it yields at every `yield`, each after a few milliseconds, so that whoever runs it
 * can let others have the thread. The return value is the outcome.
 */
export type Steps<T> = Generator<undefined, T>;

/** Runs all steps at once. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
