import { type NanoUsd, usdToNano } from '../money/money.ts';
import type { TokenPrice } from '../money/price.ts';
import { isRecord } from '../text/json-value.ts';
import {
  DEFAULT_MODELS,
  FAULT_NAMES,
  type FaultRates,
  type LimitManners,
  type RateLimits,
  type SimulatedLatency,
  type SimulatorOptions,
  type ThinkingBeyondCap,
} from './options.ts';

export interface ResolvedModel {
  readonly name: string;
  readonly price: TokenPrice;
  readonly latency: SimulatedLatency;
  readonly contextTokens: number;
  readonly maxOutputTokens: number;
  readonly accuracy: number;
  readonly limits: RateLimits;
  readonly slots: number | undefined;
  readonly manners: LimitManners;
  readonly thinksBeyondCap: ThinkingBeyondCap | undefined;
}

/** Options with every default filled in. */
export interface ResolvedOptions {
  readonly port: number;
  readonly host: string;
  readonly seed: number;
  readonly apiKey: string | undefined;
  readonly models: ReadonlyMap<string, ResolvedModel>;
  readonly faults: FaultRates;
  readonly hangBills: boolean;
  readonly billFile: string | undefined;
  readonly tokenCounting: 'exact' | 'bytes/4';
  readonly promptCache: boolean;
  readonly truthFile: string | undefined;
}

/** The options cannot be used; the message lists every problem with its path. */
export class SimulatorOptionsError extends Error {
  constructor(problems: readonly string[]) {
    super(`Cannot start the provider simulator, its options are wrong:\n${problems.map((p) => `  - ${p}`).join('\n')}`);
    this.name = 'SimulatorOptionsError';
  }
}

const OPTION_NAMES: ReadonlySet<string> = new Set<keyof SimulatorOptions>([
  'port',
  'host',
  'seed',
  'apiKey',
  'models',
  'faults',
  'hangBills',
  'billFile',
  'tokenCounting',
  'promptCache',
  'truthFile',
]);
const MODEL_NAMES = [
  'price',
  'latency',
  'contextTokens',
  'maxOutputTokens',
  'accuracy',
  'limits',
  'slots',
  'manners',
  'thinksBeyondCap',
];
const PRICE_NAMES = ['inputPerMillion', 'cachedInputPerMillion', 'outputPerMillion'];
const LIMIT_NAMES = [
  'requestsPerMinute',
  'tokensPerMinute',
  'inputTokensPerMinute',
  'outputTokensPerMinute',
  'concurrency',
] as const;

/**
 * Fills defaults and checks values, because options may come from a file.
 *
 * @throws {SimulatorOptionsError}
 */
export function resolveOptions(options: SimulatorOptions): ResolvedOptions {
  const problems: string[] = [];
  rejectUnknown(options, [...OPTION_NAMES], '', problems);
  const port = numberIn(options.port ?? 0, 'port', 0, 65_535, problems);
  const seed = numberIn(options.seed ?? 1, 'seed', 0, 2 ** 32 - 1, problems);
  const tokenCounting = options.tokenCounting ?? 'exact';
  if (tokenCounting !== 'exact' && tokenCounting !== 'bytes/4') {
    problems.push(`tokenCounting: must be "exact" or "bytes/4", is ${JSON.stringify(tokenCounting)}`);
  }
  const models = new Map<string, ResolvedModel>();
  for (const [name, model] of Object.entries(options.models ?? DEFAULT_MODELS)) {
    models.set(name, resolveModel(name, model, problems));
  }
  if (models.size === 0) problems.push('models: must name at least one model');
  problems.push(...faultProblems(options.faults ?? {}));
  if (problems.length > 0) throw new SimulatorOptionsError(problems);
  return {
    port,
    seed,
    host: options.host ?? '127.0.0.1',
    apiKey: options.apiKey,
    models,
    faults: options.faults ?? {},
    hangBills: options.hangBills ?? false,
    billFile: options.billFile,
    tokenCounting,
    promptCache: options.promptCache ?? false,
    truthFile: options.truthFile,
  };
}

/** What is wrong with fault rates, each problem with its path; empty when they can be used. */
export function faultProblems(faults: unknown): readonly string[] {
  if (!isRecord(faults)) return [`faults: must be an object of rates, is ${JSON.stringify(faults)}`];
  const problems: string[] = [];
  rejectUnknown(faults, FAULT_NAMES, 'faults.', problems);
  let sum = 0;
  for (const [name, rate] of Object.entries(faults)) sum += numberIn(rate, `faults.${name}`, 0, 1, problems);
  if (sum > 1 + 1e-9) problems.push(`faults: the rates add up to ${sum}, at most 1 is possible (one fault per call)`);
  return problems;
}

function resolveModel(name: string, model: unknown, problems: string[]): ResolvedModel {
  const path = `models.${name}`;
  const given = record(model, path, MODEL_NAMES, problems);
  const price = record(given.price, `${path}.price`, PRICE_NAMES, problems);
  const contextTokens = numberIn(given.contextTokens, `${path}.contextTokens`, 1, 1e9, problems);
  const limits = record(given.limits ?? {}, `${path}.limits`, LIMIT_NAMES, problems);
  for (const [limit, value] of Object.entries(limits)) numberIn(value, `${path}.limits.${limit}`, 1e-3, 1e12, problems);
  const input = money(price.inputPerMillion, `${path}.price.inputPerMillion`, problems);
  return {
    name,
    price: {
      inputPerMillion: input,
      cachedInputPerMillion:
        price.cachedInputPerMillion === undefined
          ? input
          : money(price.cachedInputPerMillion, `${path}.price.cachedInputPerMillion`, problems),
      outputPerMillion: money(price.outputPerMillion, `${path}.price.outputPerMillion`, problems),
    },
    latency: resolveLatency(given.latency ?? { p50Ms: 0, p95Ms: 0 }, `${path}.latency`, problems),
    contextTokens,
    maxOutputTokens: numberIn(
      given.maxOutputTokens ?? Math.min(4096, contextTokens),
      `${path}.maxOutputTokens`,
      1,
      1e9,
      problems,
    ),
    accuracy: numberIn(given.accuracy ?? 0.9, `${path}.accuracy`, 0, 1, problems),
    limits: limits as RateLimits,
    slots: given.slots === undefined ? undefined : numberIn(given.slots, `${path}.slots`, 1, 10_000, problems),
    manners: resolveManners(given.manners, `${path}.manners`, problems),
    thinksBeyondCap: resolveThinking(given.thinksBeyondCap, `${path}.thinksBeyondCap`, problems),
  };
}

function resolveLatency(value: unknown, path: string, problems: string[]): SimulatedLatency {
  const latency = record(value, path, ['p50Ms', 'p95Ms', 'firstByteMs'], problems);
  const read = (name: keyof SimulatedLatency) => numberIn(latency[name], `${path}.${name}`, 0, 3_600_000, problems);
  const p50Ms = read('p50Ms');
  const p95Ms = read('p95Ms');
  if (p95Ms < p50Ms) problems.push(`${path}: p95Ms (${p95Ms}) must not be below p50Ms (${p50Ms})`);
  return { p50Ms, p95Ms, ...(latency.firstByteMs === undefined ? {} : { firstByteMs: read('firstByteMs') }) };
}

function money(value: unknown, path: string, problems: string[]): NanoUsd {
  try {
    if (typeof value === 'number' || typeof value === 'string') return usdToNano(value);
    problems.push(`${path}: must be decimal dollars per million tokens, is ${JSON.stringify(value)}`);
  } catch (error) {
    problems.push(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  return 0;
}

function numberIn(value: unknown, path: string, min: number, max: number, problems: string[]): number {
  if (typeof value === 'number' && value >= min && value <= max) return value;
  problems.push(`${path}: must be a number from ${min} to ${max}, is ${JSON.stringify(value)}`);
  return min;
}

function record(
  value: unknown,
  path: string,
  names: readonly string[],
  problems: string[],
): Readonly<Record<string, unknown>> {
  if (!isRecord(value)) {
    problems.push(`${path}: must be an object, is ${JSON.stringify(value)}`);
    return {};
  }
  rejectUnknown(value, names, `${path}.`, problems);
  return value;
}

function rejectUnknown(value: object, names: readonly string[], prefix: string, problems: string[]): void {
  for (const name of Object.keys(value)) {
    if (!names.includes(name)) problems.push(`${prefix}${name}: unknown, use one of ${names.join(', ')}`);
  }
}

const MANNERS: Readonly<Record<keyof LimitManners, readonly unknown[]>> = {
  refusalsCount: [true, false],
  headers: ['all', 'noReset', 'none'],
  window: ['continuous', 'minute'],
  waits: ['exact', 'seconds', 'none'],
};

function resolveManners(value: unknown, path: string, problems: string[]): LimitManners {
  if (value === undefined) return {};
  if (!isRecord(value)) {
    problems.push(`${path}: must be an object, is ${JSON.stringify(value)}`);
    return {};
  }
  for (const [name, given] of Object.entries(value)) {
    const known = MANNERS[name as keyof LimitManners];
    if (known === undefined) problems.push(`${path}.${name}: unknown, use one of ${Object.keys(MANNERS).join(', ')}`);
    else if (!known.includes(given)) {
      problems.push(`${path}.${name}: must be one of ${known.join(', ')}, is ${JSON.stringify(given)}`);
    }
  }
  return value;
}

function resolveThinking(value: unknown, path: string, problems: string[]): ThinkingBeyondCap | undefined {
  if (value === undefined) return undefined;
  const { tokens, afterCalls = 0, ...others } = isRecord(value) ? value : {};
  const isCount = (count: unknown): count is number => Number.isSafeInteger(count) && Number(count) >= 0;
  if (!isCount(tokens) || !isCount(afterCalls) || Object.keys(others).length > 0) {
    problems.push(`${path}: must be { tokens, afterCalls? } with whole numbers, is ${JSON.stringify(value)}`);
    return undefined;
  }
  return { tokens, afterCalls };
}
