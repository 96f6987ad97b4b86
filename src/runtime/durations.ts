/** In milliseconds. A day of the clock: one in which it is set forward or back has another length. */
export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
