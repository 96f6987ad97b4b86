import { NightmillError } from '../errors.ts';

const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
/** With its offset: a bare local time means another moment on another machine. */
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

/**
 * A time from now (`90m`, `6h`, `2d`) or an ISO time with its offset, as milliseconds since the epoch.
 *
 * @throws {NightmillError} `usage` for anything else, and for a time that has passed
 */
export function readDeadline(text: string | undefined, now: number): number | undefined {
  return readMoment(text, now, 'a deadline');
}

/** As {@link readDeadline}, for the moment at which a batch ends with what is done. */
export function readExpiry(text: string | undefined, now: number): number | undefined {
  return readMoment(text, now, 'a time to expire');
}

function readMoment(text: string | undefined, now: number, what: string): number | undefined {
  if (text === undefined) return undefined;
  const [, amount, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const deadline =
    amount === undefined
      ? Date.parse(ISO_TIME.test(text) ? text : '')
      : now + Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS];
  if (deadline > now) return deadline;
  throw new NightmillError(
    'usage',
    `Cannot use ${JSON.stringify(text)} as ${what}: ` +
      (Number.isNaN(deadline)
        ? 'use a time from now such as 90m, 6h or 2d, or a moment such as 2026-01-31T06:00Z or 2026-01-31T06:00+01:00.'
        : 'that time has passed. Leave it out, or name a later one.'),
  );
}
