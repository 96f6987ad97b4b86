import { HOUR_MS } from '../runtime/durations.ts';

const formatters = new Map<string, Intl.DateTimeFormat>();
const latestDay = new Map<string, { readonly minute: number; readonly day: string }>();

/**
 * Calendar day at a moment in a time zone.
 *
 * @param now milliseconds since the epoch
 * @param timezone IANA name, e.g. `Europe/Berlin`
 * @returns `YYYY-MM-DD`
 */
export function calendarDay(now: number, timezone: string): string {
  // Days begin on whole minutes everywhere, and every model call asks for the day.
  const minute = Math.floor(now / 60_000);
  const cached = latestDay.get(timezone);
  if (cached?.minute === minute) return cached.day;
  let formatter = formatters.get(timezone);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-CA', {
      timeZone: timezone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
    });
    formatters.set(timezone, formatter);
  }
  const day = formatter.format(now);
  latestDay.set(timezone, { minute, day });
  return day;
}

/** `YYYY-MM` of a `YYYY-MM-DD`. */
export function monthOfDay(day: string): string {
  return day.slice(0, 7);
}

const zoneFormatters = new Map<string, Intl.DateTimeFormat>();
const latestOffset = new Map<string, { readonly hour: number; readonly offset: number }>();

/** Milliseconds by which a zone's clocks are ahead of UTC at a moment; looked up once an hour. */
export function zoneOffsetMs(now: number, timezone: string): number {
  const hour = Math.floor(now / HOUR_MS);
  const cached = latestOffset.get(timezone);
  if (cached?.hour === hour) return cached.offset;
  let formatter = zoneFormatters.get(timezone);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-US', { timeZone: timezone, timeZoneName: 'longOffset' });
    zoneFormatters.set(timezone, formatter);
  }
  const name = formatter.formatToParts(now).find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT';
  const [, sign = '+', hours = '0', minutes = '0'] = /GMT([+-])(\d+):(\d+)/.exec(name) ?? [];
  const offset = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
  latestOffset.set(timezone, { hour, offset });
  return offset;
}
