import { closeSync, openSync, writeSync } from 'node:fs';
import { type NanoUsd, nanoToDecimal } from '../money/money.ts';
import type { FaultName } from './options.ts';

/** One billed call. */
export interface BillLine {
  /** From 1 in each process. */
  readonly seq: number;
  /** ISO 8601. */
  readonly at: string;
  readonly model: string;
  /** SHA-256 of the canonical request body. */
  readonly requestHash: string;
  readonly requestId: string;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly costNanoUsd: NanoUsd;
  /** It asks about an answer without its document, so that calls for several documents may be the same request. */
  readonly repair?: true;
  /** What went wrong with the reply; `clientGone`: nobody was there to read it. */
  readonly fault?: FaultName | 'clientGone';
}

export interface BillSums {
  readonly calls: number;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly costNanoUsd: NanoUsd;
}

export interface BillSummary extends BillSums {
  /** Plain decimal dollars. */
  readonly costUsd: string;
  /** Calls whose request was billed before. */
  readonly duplicates: number;
  readonly duplicateCostNanoUsd: NanoUsd;
  readonly models: Readonly<Record<string, BillSums>>;
}

const NOTHING: BillSums = { calls: 0, inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, costNanoUsd: 0 };

/** What the provider charges, kept in memory and, with a file, on disk before the client hears of it. */
export class Bill {
  readonly #lines: BillLine[] = [];
  readonly #billedHashes = new Set<string>();
  readonly #models = new Map<string, BillSums>();
  #total = NOTHING;
  #duplicates = 0;
  #duplicateCost: NanoUsd = 0;
  #file: number | undefined;

  /** @param path appended to; created if it does not exist */
  constructor(path: string | undefined) {
    this.#file = path === undefined ? undefined : openSync(path, 'a');
  }

  get lines(): readonly BillLine[] {
    return this.#lines;
  }

  /** The line is in the file (with its operating system, not on the platter) when this returns. */
  add(call: Omit<BillLine, 'seq'>): void {
    const line: BillLine = { seq: this.#lines.length + 1, ...call };
    if (this.#file !== undefined) writeSync(this.#file, `${JSON.stringify(line)}\n`);
    this.#lines.push(line);
    if (this.#billedHashes.has(line.requestHash)) {
      this.#duplicates += 1;
      this.#duplicateCost += line.costNanoUsd;
    }
    this.#billedHashes.add(line.requestHash);
    this.#total = addLine(this.#total, line);
    this.#models.set(line.model, addLine(this.#models.get(line.model) ?? NOTHING, line));
  }

  summary(): BillSummary {
    return {
      ...this.#total,
      costUsd: nanoToDecimal(this.#total.costNanoUsd),
      duplicates: this.#duplicates,
      duplicateCostNanoUsd: this.#duplicateCost,
      models: Object.fromEntries(this.#models),
    };
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}

function addLine(sums: BillSums, line: BillLine): BillSums {
  return {
    calls: sums.calls + 1,
    inputTokens: sums.inputTokens + line.inputTokens,
    cachedInputTokens: sums.cachedInputTokens + line.cachedInputTokens,
    outputTokens: sums.outputTokens + line.outputTokens,
    costNanoUsd: sums.costNanoUsd + line.costNanoUsd,
  };
}
