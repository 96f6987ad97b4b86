/**
 * Money is an integer number of nano-dollars (1e-9 USD), exact up to 9 million dollars (2^53 nano-dollars).
 * Dollars as decimal numbers exist only at the edges: config, flags, printed results.
 */
export type NanoUsd = number;

export const NANO_PER_USD = 1_000_000_000;

/** Largest amount that every part of the system (JSON numbers, Lua numbers) holds exactly: 9 million dollars. */
export const MAX_NANO_USD: NanoUsd = 9_000_000 * NANO_PER_USD;

/**
 * Reads a dollar amount as written by a person or in a config.
 *
 * @param usd decimal dollars, e.g. `5`, `0.15`, `"0.000000001"`; at most nine decimals
 * @throws {RangeError} negative, not finite, finer than a nano-dollar or above 9 million dollars
 */
export function usdToNano(usd: number | string): NanoUsd {
  const text = typeof usd === 'number' ? plainDecimal(usd) : usd.trim();
  const match = /^(\d+)(?:\.(\d*))?$|^\.(\d+)$/.exec(text);
  if (match === null)
    throw new RangeError(`Cannot read ${JSON.stringify(usd)} as dollars: use a plain decimal such as 0.15`);
  const whole = match[1] ?? '0';
  const fraction = (match[2] ?? match[3] ?? '').replace(/0+$/, '');
  if (fraction.length > 9) throw new RangeError(`Cannot read ${usd} as dollars: finer than a billionth of a dollar`);
  const nano = BigInt(whole) * BigInt(NANO_PER_USD) + BigInt(fraction.padEnd(9, '0'));
  if (nano > BigInt(MAX_NANO_USD))
    throw new RangeError(`Cannot read ${usd} as dollars: above the largest amount, 9000000`);
  return Number(nano);
}

/** Dollars as a provider's JSON or header has them, rounded up to a whole nano-dollar; undefined: no amount. */
export function nanoOfStated(usd: unknown): NanoUsd | undefined {
  const value = typeof usd === 'string' && usd.trim() !== '' ? Number(usd) : usd;
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) return undefined;
  // A product of decimals is off in its last digits, which must not round up.
  const nano = Math.ceil(Number((value * NANO_PER_USD).toPrecision(14)));
  return nano <= MAX_NANO_USD ? nano : undefined;
}

/** Plain decimal dollars with at most nine decimals and no exponent: `15` -> `"0.000000015"`. */
export function nanoToDecimal(nano: NanoUsd): string {
  const sign = nano < 0 ? '-' : '';
  const digits = Math.abs(nano).toString().padStart(10, '0');
  const fraction = digits.slice(-9).replace(/0+$/, '');
  return `${sign}${digits.slice(0, -9)}${fraction === '' ? '' : `.${fraction}`}`;
}

/** Dollars as a JSON number, written as {@link nanoToDecimal} has it: no float in between. */
export function usdJson(nano: NanoUsd): object {
  return JSON.rawJSON(nanoToDecimal(nano)) as object;
}

/** Dollars as a number, for callers in code; exact to the nano-dollar up to about four million dollars. */
export function nanoToUsd(nano: NanoUsd): number {
  return Number(nanoToDecimal(nano));
}

/** For people: `$0.00` style with as many decimals as the amount needs to show two significant digits. */
export function formatUsd(nano: NanoUsd): string {
  if (nano === 0) return '$0.00';
  const usd = Math.abs(nano) / NANO_PER_USD;
  const decimals = usd >= 0.1 ? 2 : Math.min(9, 1 - Math.floor(Math.log10(usd)));
  return `${nano < 0 ? '-' : ''}$${usd.toFixed(decimals)}`;
}

/** `JSON.stringify(5e-7)` prints an exponent; dollar amounts in files are plain decimals. */
function plainDecimal(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const text = String(value);
  if (!/e/.test(text)) return text;
  const fixed = value.toFixed(20).replace(/\.?0+$/, '');
  return Number(fixed) === value ? fixed : text;
}
