/** An amount for reading: two decimals from a dollar on, else enough of them that what is not zero does not look like it. */
export function usd(amount: number): string {
  if (amount === 0) return '$0.00';
  const size = Math.abs(amount);
  if (size >= 1)
    return withSign(amount, size.toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 }));
  if (size >= 0.01) return withSign(amount, trimmed(size.toFixed(4)));
  // The smallest unit of the books is a nano-dollar.
  const decimals = Math.min(9, 2 - Math.floor(Math.log10(size)));
  return withSign(amount, trimmed(size.toFixed(decimals)));
}

/** To the last unit of the books. */
export function exactUsd(amount: number): string {
  return withSign(amount, trimmed(Math.abs(amount).toFixed(9)));
}

function withSign(amount: number, digits: string): string {
  return `${amount < 0 ? '−' : ''}$${digits}`;
}

/** Without closing zeros, but with two decimals. */
function trimmed(digits: string): string {
  return digits.replace(/(\.\d\d+?)0+$/, '$1');
}

export function count(number: number): string {
  return number.toLocaleString('en');
}

/** `1 document`, `2 documents`. */
export function counted(number: number, noun: string): string {
  return `${count(number)} ${noun}${number === 1 ? '' : 's'}`;
}

/** Never 100 % before the end, never 0 % after the beginning. */
export function percent(part: number, whole: number): string {
  if (whole === 0) return '–';
  const exact = (part / whole) * 100;
  if (part > 0 && exact < 1) return 'under 1 %';
  if (part < whole && exact > 99) return '99 %';
  return `${Math.round(exact)} %`;
}

export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** `12.5 min`. */
export function minutes(seconds: number): string {
  return `${(Math.round(seconds / 6) / 10).toLocaleString('en')} min`;
}

/** `120 ms`, `1.4 s`; null: no call was timed. */
export function milliseconds(time: number | null): string {
  if (time === null) return '–';
  return time < 1_000 ? `${time} ms` : `${(time / 1_000).toFixed(1)} s`;
}

/** In the reader's zone, e.g. `29 Nov 2026, 05:04`. */
export function localTime(iso: string, zone?: string): string {
  return new Intl.DateTimeFormat('en-GB', {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    ...(zone === undefined ? {} : { timeZone: zone }),
  }).format(new Date(iso));
}

/** `2026-11-29 04:04:41 UTC`. */
export function utcTime(iso: string): string {
  return `${new Date(iso).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

export function zoneName(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}
