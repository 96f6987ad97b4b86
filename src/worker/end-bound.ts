import { getActiveResourcesInfo } from 'node:process';
import type { Log } from '../runtime/log.ts';

/** How a process ends, and what keeps it alive: kinds of handles, with repetitions. */
export interface ProcessEnd {
  readonly exit: (code: number) => void;
  readonly open: () => readonly string[];
}

/** What is under way beside the slices, and connections: webhooks have 5 s, traces 5 s a request, Redis a moment. */
const CLOSE_WITHIN_MS = 20_000;

/** Steps after the last call, each a few commands: more than a server that answers needs, less than a service manager waits. */
const LAST_STEPS_MS = 10_000;

const THIS_PROCESS: ProcessEnd = { exit: (code) => process.exit(code), open: getActiveResourcesInfo };

/**
 * Ends the process where it is still alive after so long, and says what kept it. Call it when a worker has stopped: its slices
 * are handed back and its lease has ended, so nothing that a batch needs is left, while one connection that does not close
 * would hold a service manager up until it kills. It keeps no process alive that could end by itself.
 *
 * @param milliseconds default 20 s
 */
export function boundEnd(log: Log, end: ProcessEnd = THIS_PROCESS, milliseconds: number = CLOSE_WITHIN_MS): void {
  const late = () => {
    log.warn('worker:late', { seconds: milliseconds / 1_000, open: [...new Set(end.open())].sort() });
    end.exit(Number(process.exitCode ?? 0));
  };
  setTimeout(late, milliseconds).unref();
}

/** Ends the wait for a server that does not answer, where a step takes too long. */
export class StepBound implements Disposable {
  readonly #giveUp: () => void;
  readonly #milliseconds: number;
  #timer: NodeJS.Timeout | undefined;

  /** @param milliseconds that a step may take; default 10 s */
  constructor(giveUp: () => void, milliseconds: number = LAST_STEPS_MS) {
    this.#giveUp = giveUp;
    this.#milliseconds = milliseconds;
  }

  /** A step begins; the one before it, if any, has ended. */
  begin(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#giveUp, this.#milliseconds);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
