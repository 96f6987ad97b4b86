const MAX_QUOTED_UNITS = 76;

/** A value seen in somebody's input, for a message: at most 80 characters, on one line, and cheap for huge values. */
export function quoteValue(value: unknown): string {
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value !== 'string') return String(value);
  const quoted = JSON.stringify(value.slice(0, MAX_QUOTED_UNITS).toWellFormed());
  const whole = value.length <= MAX_QUOTED_UNITS && quoted.length <= MAX_QUOTED_UNITS + 2;
  return whole ? quoted : `${quoted.slice(0, MAX_QUOTED_UNITS).toWellFormed()}…"`;
}
