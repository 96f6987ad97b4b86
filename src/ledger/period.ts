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
