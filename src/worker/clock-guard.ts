import type { SliceRun } from '../calls/slice-run.ts';
import { NightmillError } from '../errors.ts';
import { describeClock, judgeClock } from '../runtime/clock-difference.ts';

export interface ClockGuardContext {
  readonly clock: { readonly aheadMs: number };
  readonly runs: ReadonlySet<Pick<SliceRun, 'stop'>>;
  readonly workers: { pause(why: 'clock'): Promise<void>; resume(why: 'clock'): void };
  readonly onPermanentFailure: (error: NightmillError) => void;
}

/** While the clock of its machine is wrong, a worker takes no slices and hands back those that it has. */
export class ClockGuard {
  readonly #context: ClockGuardContext;
  #isWrong = false;

  constructor(context: ClockGuardContext) {
    this.#context = context;
  }

  async look(): Promise<void> {
    const { clock, runs, workers, onPermanentFailure } = this.#context;
    const { aheadMs } = clock;
    const isWrong = judgeClock(aheadMs) === 'wrong';
    if (isWrong === this.#isWrong) return;
    this.#isWrong = isWrong;
    if (!isWrong) {
      workers.resume('clock');
      return;
    }
    await workers.pause('clock');
    for (const run of runs) run.stop({ kind: 'shutdown' });
    onPermanentFailure(new NightmillError('clock_wrong', `Cannot work: ${describeClock(aheadMs)}.`));
  }
}
