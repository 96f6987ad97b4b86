import { setTimeout as delay } from 'node:timers/promises';
import type { TrafficSecond } from '../../../src/simulator/traffic.ts';
import { MODEL_ID } from './documents.ts';

/** What a simulated provider saw of one model between two moments. */
export interface Traffic {
  readonly seconds: number;
  readonly admitted: number;
  readonly refused: number;
  /** Input and output. */
  readonly tokens: number;
}

const POLL_MS = 100;
const FIRST_CALL_WITHIN_MS = 120_000;

/** Its whole series, a second each; seconds without traffic are left out. */
export async function readTraffic(providerUrl: string): Promise<readonly TrafficSecond[]> {
  const stats = (await (await fetch(new URL('/stats', providerUrl))).json()) as {
    readonly models: Readonly<Record<string, { readonly perSecond: readonly TrafficSecond[] }>>;
  };
  return stats.models[MODEL_ID]?.perSecond ?? [];
}

/** @returns when the provider has admitted a call */
export async function waitForTraffic(providerUrl: string): Promise<void> {
  const deadline = performance.now() + FIRST_CALL_WITHIN_MS;
  while (!(await readTraffic(providerUrl)).some(({ admitted }) => admitted > 0)) {
    if (performance.now() > deadline) throw new Error(`No call was admitted in ${FIRST_CALL_WITHIN_MS / 1000} s`);
    await delay(POLL_MS);
  }
}

/** @param from first second since the epoch; `to` is the first one after the window */
export function sumTraffic(series: readonly TrafficSecond[], from: number, to: number): Traffic {
  const inside = series.filter(({ second }) => second >= from && second < to);
  const sum = (of: (second: TrafficSecond) => number) => inside.reduce((total, second) => total + of(second), 0);
  return {
    seconds: to - from,
    admitted: sum(({ admitted }) => admitted),
    refused: sum(({ refused }) => refused),
    tokens: sum(({ inputTokens, outputTokens }) => inputTokens + outputTokens),
  };
}
