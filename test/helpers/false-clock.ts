/**
 * Loaded into a process before the program, it sets the clock of that process: `--import .../false-clock.ts?ahead=MS`.
 * Monotonic time and timers stay as they are.
 */
const aheadMs = Number(new URL(import.meta.url).searchParams.get('ahead'));
const TrueDate = Date;

class FalseDate extends TrueDate {
  constructor(...args: unknown[]) {
    super(...((args.length === 0 ? [TrueDate.now() + aheadMs] : args) as [number]));
  }

  static override now(): number {
    return TrueDate.now() + aheadMs;
  }
}

globalThis.Date = FalseDate as DateConstructor;

export {};
