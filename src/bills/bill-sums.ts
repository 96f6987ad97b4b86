import type { NanoUsd } from '../money/money.ts';
import type { BillLine } from './bill-line.ts';

/** Lines of a bill added up. */
export interface BillSums {
  readonly lines: number;
  /** Absent where the bill does not state them. */
  readonly calls?: number;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly cost: NanoUsd;
}

/** One model on one day. */
export interface BillCell extends BillSums {
  readonly model: string;
  /** `YYYY-MM-DD` in UTC; empty where the bill has no times. */
  readonly day: string;
}

/** A whole bill, small enough to hold: a cell for each model and day. */
export interface BillTotals {
  readonly cells: readonly BillCell[];
  /** Whether the bill states money; else tokens alone are compared, at the config's prices. */
  readonly hasCost: boolean;
  readonly hasTokens: boolean;
  /** Most decimals of its dollars; absent where its amounts are exact. */
  readonly costDecimals?: number;
  /** Lines for a request that the bill had before: a response that was paid for twice, or a repeated line. */
  readonly repeated: { readonly lines: number; readonly cost: NanoUsd };
}

/** Adds up a bill line by line. Memory grows with its models and days, and with its requests where it names them. */
export class BillAdder {
  readonly #cells = new Map<string, BillCell>();
  readonly #requests = new Set<string>();
  #repeated = { lines: 0, cost: 0 };
  #costDecimals: number | undefined;
  #hasCost = false;
  #hasTokens = false;

  add(line: BillLine): void {
    const day = line.at === undefined ? '' : new Date(line.at).toISOString().slice(0, 10);
    const key = `${day}\0${line.model}`;
    const known = this.#cells.get(key);
    const calls = line.calls ?? (line.request === undefined ? undefined : 1);
    this.#cells.set(key, {
      model: line.model,
      day,
      lines: (known?.lines ?? 0) + 1,
      ...(calls === undefined ? {} : { calls: (known?.calls ?? 0) + calls }),
      inputTokens: (known?.inputTokens ?? 0) + (line.inputTokens ?? 0),
      cachedInputTokens: (known?.cachedInputTokens ?? 0) + (line.cachedInputTokens ?? 0),
      outputTokens: (known?.outputTokens ?? 0) + (line.outputTokens ?? 0),
      cost: (known?.cost ?? 0) + (line.cost ?? 0),
    });
    this.#hasCost ||= line.cost !== undefined;
    this.#hasTokens ||= line.inputTokens !== undefined && line.outputTokens !== undefined;
    if (line.costDecimals !== undefined) this.#costDecimals = Math.max(this.#costDecimals ?? 0, line.costDecimals);
    if (line.request === undefined) return;
    if (this.#requests.has(line.request)) {
      this.#repeated = { lines: this.#repeated.lines + 1, cost: this.#repeated.cost + (line.cost ?? 0) };
    }
    this.#requests.add(line.request);
  }

  totals(): BillTotals {
    return {
      cells: [...this.#cells.values()],
      // A bill of nothing says that nothing was charged.
      hasCost: this.#hasCost || this.#cells.size === 0,
      hasTokens: this.#hasTokens,
      ...(this.#costDecimals === undefined ? {} : { costDecimals: this.#costDecimals }),
      repeated: this.#repeated,
    };
  }
}

export const NO_BILL: BillSums = { lines: 0, inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, cost: 0 };

export function addBillSums(a: BillSums, b: BillSums): BillSums {
  const calls = a.calls === undefined && b.calls === undefined ? undefined : (a.calls ?? 0) + (b.calls ?? 0);
  return {
    lines: a.lines + b.lines,
    ...(calls === undefined ? {} : { calls }),
    inputTokens: a.inputTokens + b.inputTokens,
    cachedInputTokens: a.cachedInputTokens + b.cachedInputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cost: a.cost + b.cost,
  };
}
