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

/** A client that cannot be measured here, and why. */
export type Outcome = Measured | { readonly notMeasured: string };

const NONE = '–';

/** @returns the round with the middle cost */
export function medianCost(rounds: readonly Measured[]): Measured {
  const middle = [...rounds].sort((a, b) => costOf(a) - costOf(b))[Math.floor((rounds.length - 1) / 2)];
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
  const sdkCost = sdk === undefined || 'notMeasured' in sdk ? undefined : costOf(sdk);
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
    rows: [heads, ...outcomes.map(([client, outcome]) => rowOf(NAMES[client], outcome, sdkCost, heads.length))],
    note: [
      'CPU of the one client process, of its Redis and of the provider; of each client the round with the middle cost',
      'times SDK: documents a CPU second over those of p-limit + openai SDK, aim: 2.00',
      ...remarks,
      ...missing,
    ].join('; '),
  };
}

function rowOf(name: string, outcome: Outcome, sdkCost: number | undefined, columns: number): readonly string[] {
  if ('notMeasured' in outcome) return [name, 'not installed', ...Array<string>(columns - 2).fill(NONE)];
  const { calls, wallMs, cpuMs, redis, providerCpuMs, requestBytes } = outcome;
  const each = (ms: number) => (ms / calls).toFixed(3);
  return [
    name,
    Math.round((calls / wallMs) * 1_000).toLocaleString('en'),
    each(cpuMs),
    redis === undefined ? NONE : each(redis.cpuMs),
    redis?.appendfsync ?? NONE,
    Math.round(1_000 / costOf(outcome)).toLocaleString('en'),
    sdkCost === undefined ? NONE : (sdkCost / costOf(outcome)).toFixed(2),
    each(providerCpuMs),
    requestBytes.toFixed(0),
  ];
}

const costOf = ({ cpuMs, calls }: Measured): number => cpuMs / calls;
