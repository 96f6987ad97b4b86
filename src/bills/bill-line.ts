import type { NanoUsd } from '../money/money.ts';
import { isRecord } from '../text/json-value.ts';
import { quoteValue } from '../text/quote-value.ts';
import { type BillColumns, type BillField, isNanoColumn } from './bill-columns.ts';

/** One line of a provider's bill. Figures that it does not state are absent. */
export interface BillLine {
  /** As the provider writes it; empty where the line names none. */
  readonly model: string;
  readonly inputTokens?: number;
  readonly cachedInputTokens?: number;
  readonly outputTokens?: number;
  /** Rounded to a whole nano-dollar. */
  readonly cost?: NanoUsd;
  /** Decimals in which the dollars are written; absent where the cost is exact in nano-dollars. */
  readonly costDecimals?: number;
  /** Milliseconds since the epoch; a day's line has its beginning. Times without a zone are UTC. */
  readonly at?: number;
  readonly request?: string;
  readonly calls?: number;
}

export type BillRecord = Readonly<Record<string, unknown>>;

/**
 * Reads a record of a bill.
 *
 * @throws {RangeError} a figure that cannot be read, with its column and value
 */
export function readBillLine(record: BillRecord, columns: BillColumns): BillLine {
  const texts = (field: BillField) => columns[field]?.map((name) => [name, textOf(record[name])] as const);
  const sum = (field: BillField) => texts(field)?.reduce((total, [name, text]) => total + readCount(name, text), 0);
  const [inputTokens, cachedInputTokens, outputTokens, calls] = [
    sum('input'),
    sum('cached'),
    sum('output'),
    sum('calls'),
  ];
  const cost = texts('cost')?.map(([name, text]) => readCost(name, text));
  const [time] = texts('time') ?? [];
  const at = time === undefined || time[1] === '' ? undefined : readTime(...time);
  const request = texts('request')?.[0]?.[1];
  const decimals = cost?.map((part) => part.decimals).filter((count) => count !== undefined) ?? [];
  return {
    model: readModel(texts('model')?.[0]?.[1] ?? ''),
    ...(inputTokens === undefined ? {} : { inputTokens }),
    ...(cachedInputTokens === undefined ? {} : { cachedInputTokens }),
    ...(outputTokens === undefined ? {} : { outputTokens }),
    ...(calls === undefined ? {} : { calls }),
    ...(cost === undefined ? {} : { cost: cost.reduce((total, part) => total + part.nano, 0) }),
    ...(decimals.length === 0 ? {} : { costDecimals: Math.max(...decimals) }),
    ...(at === undefined ? {} : { at }),
    ...(request === undefined || request === '' ? {} : { request }),
  };
}

/** The lines in a JSON value: a line itself, or those in a page (`data`) of buckets (`results`) of a usage API. */
export function* billRecords(value: unknown): Generator<BillRecord> {
  if (!isRecord(value)) return;
  const { data, results, ...rest } = value;
  if (Array.isArray(data)) for (const bucket of data) yield* billRecords(bucket);
  else if (Array.isArray(results)) {
    for (const result of results) for (const record of billRecords(result)) yield { ...flatten(rest), ...record };
  } else yield flatten(value);
}

/** `{"amount": {"value": 1}}` has the column `amount.value`. */
function flatten(value: Readonly<Record<string, unknown>>, prefix = ''): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, entry]) =>
      isRecord(entry) ? Object.entries(flatten(entry, `${prefix}${name}.`)) : [[`${prefix}${name}`, entry]],
    ),
  );
}

function textOf(value: unknown): string {
  return value === undefined || value === null ? '' : String(value).trim();
}

/** A cost export names the kind of tokens behind the model: `gpt-4o-2024-08-06, input`. */
function readModel(text: string): string {
  return text.split(',')[0]?.trim() ?? '';
}

function readCount(name: string, text: string): number {
  if (text === '') return 0;
  const value = Number(/^\d{1,3}(,\d{3})+$/.test(text) ? text.replaceAll(',', '') : text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new RangeError(`${name} must be a whole number, is ${quoteValue(text)}`);
}

function readCost(name: string, text: string): { nano: NanoUsd; decimals?: number } {
  if (isNanoColumn(name)) return { nano: readCount(name, text) };
  if (text === '') return { nano: 0, decimals: 0 };
  const plain = /e/i.test(text) ? Number(text).toFixed(15) : text.replace('$', '').replaceAll(',', '');
  const match = /^(-?)(\d*)(?:\.(\d*))?$/.exec(plain);
  const nano = match === null ? Number.NaN : roundedNano(match[2] ?? '', match[3] ?? '');
  if (match === null || (match[2] === '' && !match[3]) || !Number.isSafeInteger(nano)) {
    throw new RangeError(`${name} must be decimal dollars, is ${quoteValue(text)}`);
  }
  return { nano: match[1] === '-' ? -nano : nano, decimals: (match[3] ?? '').length };
}

function roundedNano(whole: string, fraction: string): NanoUsd {
  const digits = fraction.slice(0, 10).padEnd(10, '0');
  return Number((BigInt(`${whole}${digits}`) + 5n) / 10n);
}

function readTime(name: string, text: string): number {
  const seconds = /^\d{9,10}(\.\d+)?$/.test(text) ? Number(text) : undefined;
  if (seconds !== undefined) return seconds * 1000;
  if (/^\d{12,13}$/.test(text)) return Number(text);
  const zoneless = /^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?$/.test(text);
  const at = Date.parse(zoneless ? `${text.replace(' ', 'T')}Z` : text);
  if (Number.isFinite(at)) return at;
  throw new RangeError(`${name} must be a time, is ${quoteValue(text)}`);
}
