import { setImmediate } from 'node:timers/promises';
import type { Steps } from './steps.ts';

/** Locks are renewed and replies are read between two turns of this length. */
const LONGEST_TURN_MS = 20;

/** Does long work of the processor in turns, so that no lock is lost and no reply waits while it runs. */
export async function runInSteps<T>(steps: Steps<T>): Promise<T> {
  let turnEnds = performance.now() + LONGEST_TURN_MS;
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (performance.now() < turnEnds) continue;
    await setImmediate();
    turnEnds = performance.now() + LONGEST_TURN_MS;
  }
}
