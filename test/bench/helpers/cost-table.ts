import type { ScriptClient } from './callers.ts';
import type { Table } from './table.ts';

export type Client = 'system' | 'systemEverysec' | ScriptClient;

export const NAMES: Readonly<Record<Client, string>> = {
  sdk: 'p-limit + openai SDK',
  langchain: 'LangChain JS .batch',
  undici: 'undici loop',
  bottleneck: 'Bottleneck clustering + undici',
  bullmq: 'BullMQ, a job a document + undici',
  system: 'nightmill worker',
  systemEverysec: 'nightmill worker, everysec',
};

export interface Measured {
  readonly calls: number;
  readonly wallMs: number;
  readonly cpuMs: number;
  /** Absent for clients without a Redis. */
  readonly redis?: { readonly cpuMs: number; readonly appendfsync: 'always' | 'everysec' };
  readonly providerCpuMs: number;
  /** Of the worker process. Absent for the others. */
  readonly peakMb?: number;
  /** Mean of one request's body. */
  readonly requestBytes: number;
  readonly gapsMs: readonly number[];
}

/** A client's rounds, or why it cannot be measured here. */
export type Outcome = { readonly rounds: readonly Measured[] } | { readonly notMeasured: string };

const NONE = '–';

/** @returns the round with the middle cost */
export function medianCost(rounds: readonly Measured[]): Measured {
  return middleOf([...rounds].sort((a, b) => costOf(a) - costOf(b)));
}

/**
 * How many times the documents a CPU second of the SDK script a client has: the middle of the rounds, each beside the SDK
 * script of the same round, because the machine is slower in one minute than in another.
 */
export function timesSdk(rounds: readonly Measured[], sdkRounds: readonly Measured[]): number {
  const ratios = rounds.flatMap((round, index) => {
    const sdk = sdkRounds[index];
    return sdk === undefined ? [] : [costOf(sdk) / costOf(round)];
  });
  return middleOf(ratios.sort((a, b) => a - b));
}

/** The lower one of two. */
function middleOf<T>(sorted: readonly T[]): T {
  const middle = sorted[Math.floor((sorted.length - 1) / 2)];
  if (middle === undefined) throw new RangeError('A comparison needs at least one round');
  return middle;
}

/**
 * What a document costs with each client.
 *
 * @param remarks what else a reader has to know
 */
export function costTable(outcomes: readonly (readonly [Client, Outcome])[], remarks: readonly string[] = []): Table {
  const sdk = outcomes.find(([client]) => client === 'sdk')?.[1];
  const sdkRounds = sdk === undefined || 'notMeasured' in sdk ? undefined : sdk.rounds;
  const heads = [
    'client',
    'documents/s',
    'CPU ms/document',
    'Redis CPU ms/document',
    'Redis appendfsync',
    'documents/CPU s',
    'times SDK',
    'provider CPU ms/document',
    'body bytes',
  ];
  const missing = outcomes.flatMap(([client, outcome]) =>
    'notMeasured' in outcome ? [`${NAMES[client]}: not installed, ${outcome.notMeasured}`] : [],
  );
  return {
    caption: 'What a document costs',
    rows: [heads, ...outcomes.map(([client, outcome]) => rowOf(NAMES[client], outcome, sdkRounds, heads.length))],
    note: [
      'CPU of the one client process, of its Redis and of the provider; of each client the round with the middle cost',
      'times SDK: documents a CPU second over those of p-limit + openai SDK in the same round, the middle of the rounds, aim: 2.00',
      ...remarks,
      ...missing,
    ].join('; '),
  };
}

function rowOf(
  name: string,
  outcome: Outcome,
  sdkRounds: readonly Measured[] | undefined,
  columns: number,
): readonly string[] {
  if ('notMeasured' in outcome) return [name, 'not installed', ...Array<string>(columns - 2).fill(NONE)];
  const middle = medianCost(outcome.rounds);
  const { calls, wallMs, cpuMs, redis, providerCpuMs, requestBytes } = middle;
  const each = (ms: number) => (ms / calls).toFixed(3);
  return [
    name,
    Math.round((calls / wallMs) * 1_000).toLocaleString('en'),
    each(cpuMs),
    redis === undefined ? NONE : each(redis.cpuMs),
    redis?.appendfsync ?? NONE,
    Math.round(1_000 / costOf(middle)).toLocaleString('en'),
    sdkRounds === undefined ? NONE : timesSdk(outcome.rounds, sdkRounds).toFixed(2),
    each(providerCpuMs),
    requestBytes.toFixed(0),
  ];
}

const costOf = ({ cpuMs, calls }: Measured): number => cpuMs / calls;
