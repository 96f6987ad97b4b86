/**
 * Loaded into a process before the program, it sets the clock of that process: `--import .../false-clock.ts?ahead=MS`,
 * with `&after=MS` only when the process is that old: the clock jumps. Monotonic time and timers stay as they are.
 */
const settings = new URL(import.meta.url).searchParams;
const jumpMs = Number(settings.get('ahead'));
const jumpsAt = Number(settings.get('after') ?? 0);
const TrueDate = Date;

function nowHere(): number {
  return TrueDate.now() + (performance.now() >= jumpsAt ? jumpMs : 0);
}

class FalseDate extends TrueDate {
  constructor(...args: unknown[]) {
    super(...((args.length === 0 ? [nowHere()] : args) as [number]));
  }

  static override now(): number {
    return nowHere();
  }
}

globalThis.Date = FalseDate as DateConstructor;

export {};
