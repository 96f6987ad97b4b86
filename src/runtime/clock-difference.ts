import type { Log } from './log.ts';

/** `near`: nothing to say. `apart`: worth a word. `wrong`: a process whose clock is so far from Redis's takes no work. */
export type ClockState = 'near' | 'apart' | 'wrong';

const APART_MS = 5_000;
const WRONG_MS = 60_000;

/** @param aheadMs how far this machine's clock is ahead of Redis's; negative where it is behind */
export function judgeClock(aheadMs: number): ClockState {
  const difference = Math.abs(aheadMs);
  if (difference > WRONG_MS) return 'wrong';
  return difference > APART_MS ? 'apart' : 'near';
}

/** Logs a clock's difference once each time that its state changes. */
export class ClockReport {
  readonly #log: Log;
  #state: ClockState = 'near';

  constructor(log: Log) {
    this.#log = log;
  }

  tell(aheadMs: number): void {
    const state = judgeClock(aheadMs);
    if (state === this.#state) return;
    this.#state = state;
    const fields = { aheadSeconds: Math.round(aheadMs) / 1_000, reason: describeClock(aheadMs) };
    if (state === 'near') this.#log.info('clock:agrees', fields);
    else this.#log.warn('clock:differs', fields);
  }
}

/** What is seen and what to do, as one sentence. */
export function describeClock(aheadMs: number): string {
  const state = judgeClock(aheadMs);
  if (state === 'near') return "this machine's clock agrees with Redis's";
  return (
    `this machine's clock is ${duration(Math.abs(aheadMs))} ${aheadMs > 0 ? 'ahead of' : 'behind'} Redis's, ` +
    `by which limits and pauses are reckoned${state === 'wrong' ? '; it takes no work until both agree' : ''}: ` +
    'set both by NTP (timedatectl set-ntp true)'
  );
}

function duration(milliseconds: number): string {
  const seconds = milliseconds / 1_000;
  if (seconds < 120) return `${seconds.toFixed(1)} s`;
  if (seconds < 7_200) return `${(seconds / 60).toFixed(1)} min`;
  return `${(seconds / 3_600).toFixed(1)} h`;
}
