import { NightmillError } from '../errors.ts';
import { type NanoUsd, usdToNano } from '../money/money.ts';

/** Values of a submission as people write them, on a command line or in a query string. */

const PRIORITY_MOST = 2_000_000;
const TENANT = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const NAME_UNITS = 200;
const LABEL_KEY = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
const LABELS_MOST = 16;

/**
 * Dollars as people write them, `5` or `$5.00`, or as JSON has them, in nano-dollars.
 *
 * @throws {NightmillError} `usage`
 */
export function readBudget<T extends string | number | undefined>(usd: T): NanoUsd | Extract<T, undefined>;
export function readBudget(usd: string | number | undefined): NanoUsd | undefined {
  if (usd === undefined) return undefined;
  try {
    return usdToNano(typeof usd === 'number' ? usd : usd.replace(/^\$/, ''));
  } catch (error) {
    throw new NightmillError('usage', (error as Error).message);
  }
}

/** @throws {NightmillError} `usage`: it cannot be a tenant's name */
export function readTenant(text: string | undefined): string | undefined {
  if (text === undefined || TENANT.test(text)) return text;
  throw new NightmillError(
    'usage',
    `Cannot use ${JSON.stringify(text)} as a tenant: use letters, digits, - and _, at most 64.`,
  );
}

/** @throws {NightmillError} `usage`: no whole number from 0 */
export function readPriority(text: string | undefined): number {
  const priority = Number(text ?? 0);
  if (text !== '' && Number.isInteger(priority) && priority >= 0 && priority <= PRIORITY_MOST) return priority;
  throw new NightmillError(
    'usage',
    `Cannot use ${JSON.stringify(text)} as a priority: use a whole number from 0 (first) to ${PRIORITY_MOST}.`,
  );
}

/** @throws {NightmillError} `usage`: too long, or with control characters */
export function readName(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (text.length > 0 && text.length <= NAME_UNITS && !/\p{Cc}/u.test(text)) return text;
  throw new NightmillError(
    'usage',
    `Cannot use ${JSON.stringify(text.slice(0, NAME_UNITS))} as a name: use 1 to ${NAME_UNITS} characters in one line.`,
  );
}

/**
 * `key=value`, each key once.
 *
 * @throws {NightmillError} `usage`
 */
export function readLabels(texts: readonly string[] | undefined): Readonly<Record<string, string>> | undefined {
  if (texts === undefined || texts.length === 0) return undefined;
  const labels: Record<string, string> = {};
  for (const text of texts) {
    const [, key = '', value = ''] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
    if (!LABEL_KEY.test(key) || value.length > NAME_UNITS || /\p{Cc}/u.test(value) || Object.hasOwn(labels, key)) {
      throw new NightmillError(
        'usage',
        `Cannot use ${JSON.stringify(text)} as a label: write key=value, each key once, values of at most ${NAME_UNITS} characters.`,
      );
    }
    labels[key] = value;
  }
  if (Object.keys(labels).length <= LABELS_MOST) return labels;
  throw new NightmillError('usage', `A batch can have at most ${LABELS_MOST} labels.`);
}

/** Names with commas between: without spaces around them, each once. */
export function readNames(text: string): readonly string[] {
  return [...new Set(text.split(',').map((name) => name.trim()))].filter((name) => name !== '');
}
