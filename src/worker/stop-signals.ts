import { ERROR_CODES, NightmillError } from '../errors.ts';

/**
 * Two stages: the first SIGINT, SIGTERM or SIGHUP asks for an orderly end, a second one forces it. Dispose to give the
 * signals back.
 */
export interface StopSignals extends Disposable {
  /** Aborts at the first signal. */
  readonly first: AbortSignal;
  /** Aborts at the second. */
  readonly second: AbortSignal;
}

/** How long a forced end may take to give back what it holds. */
const FORCED_EXIT_MS = 10_000;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export function listenForStop(announce: (line: string) => void): StopSignals {
  const first = new AbortController();
  const second = new AbortController();
  const onSignal = (signal: string) => {
    if (first.signal.aborted) {
      announce(`${signal} again: giving up calls in flight.`);
      second.abort();
      // With Redis away nothing can be handed back; the leases of this process end by themselves.
      setTimeout(() => process.exit(ERROR_CODES.interrupted.exit), FORCED_EXIT_MS).unref();
      return;
    }
    announce(`${signal}: finishing what is in flight. Once more to give it up.`);
    // Work that has no better way to stop (reading the input) throws this.
    first.abort(
      new NightmillError('interrupted', `Interrupted by ${signal}. Nothing is lost: the same command resumes.`),
    );
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return {
    first: first.signal,
    second: second.signal,
    [Symbol.dispose]: () => {
      for (const name of SIGNALS) process.off(name, onSignal);
    },
  };
}

/** Resolves when a signal is aborted, or at once where it is. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
