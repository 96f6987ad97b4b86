import { lowerRate, upperRate } from '../calibration/tails.ts';
import { QuantileSketch } from '../measures/quantile-sketch.ts';
import { type NanoUsd, nanoToUsd, usdToNano } from '../money/money.ts';
import type { RowPair } from './pair-rows.ts';
import { rouge } from './rouge.ts';

/** A row of a batch, as far as two of them are compared. */
export interface ComparedRow {
  readonly id: string;
  readonly status: string;
  readonly result?: {
    readonly label?: string;
    readonly summary?: string;
    readonly fields?: unknown;
    readonly confidence?: number;
    readonly choices?: unknown;
  };
  readonly error?: { readonly code: string };
  readonly model?: string;
  /** Dollars. */
  readonly costUsd: number;
  readonly durationMs?: number;
}

/** One batch over the documents that both have. */
export interface ComparedBatch {
  readonly batch: string;
  readonly workflow: string;
  readonly succeeded: number;
  readonly failed: number;
  readonly costUsd: number;
  readonly costPerDocumentUsd: number;
  /** Of documents that have one, within 2 %. */
  readonly medianMs: number | null;
  readonly p95Ms: number | null;
}

export interface BatchCase {
  readonly id: string;
  readonly a: CaseSide;
  readonly b: CaseSide;
  /** How alike two texts are, 0 to 1; absent: they are no texts. */
  readonly rougeL?: number;
}

export interface CaseSide {
  /** Null: no answer; then `error` says why. */
  readonly answer: string | null;
  readonly error?: string;
  readonly confidence?: number;
  readonly model?: string;
  readonly costUsd: number;
}

export interface BatchComparison {
  /** Documents by id: in both batches, and in one of them only. */
  readonly documents: { readonly both: number; readonly onlyA: number; readonly onlyB: number };
  /** Both took the very same documents. False: the texts of equal ids may differ. */
  readonly isSameContent: boolean;
  readonly batches: readonly [ComparedBatch, ComparedBatch];
  readonly agreement: {
    /** Documents that both have answered. */
    readonly documents: number;
    readonly same: number;
    /** Null: neither has answered any. */
    readonly share: number | null;
    /** 95 %, exact. */
    readonly interval: readonly [number, number] | null;
    /** Mean over summaries; absent: there are none. */
    readonly rougeL?: number;
  };
  /** Labels that became others, most documents first. */
  readonly changes: readonly { readonly from: string; readonly to: string; readonly documents: number }[];
  /** Documents that are answered differently, or by one only. */
  readonly differing: number;
  /** The first of them, at most {@link MAX_CASES}. */
  readonly cases: readonly BatchCase[];
}

export interface BatchName {
  readonly batch: string;
  readonly workflow: string;
  /** Hash of its documents. */
  readonly content: string;
}

/** Documents that a comparison names. */
export const MAX_CASES = 1_000;

/** Compares what two ended batches have answered; pure but for reading the rows. */
export async function compareBatches(
  names: readonly [BatchName, BatchName],
  pairs: AsyncIterable<RowPair<ComparedRow>>,
): Promise<BatchComparison> {
  const sums = [new BatchSum(), new BatchSum()] as const;
  const only = { a: 0, b: 0 };
  const agreement = new AgreementSum();
  for await (const pair of pairs) {
    if (pair.kind !== 'both') {
      only[pair.kind] += 1;
      continue;
    }
    sums[0].add(pair.a);
    sums[1].add(pair.b);
    agreement.add(pair.a, pair.b);
  }
  return {
    documents: { both: sums[0].documents, onlyA: only.a, onlyB: only.b },
    isSameContent: names[0].content === names[1].content,
    batches: [sums[0].figures(names[0]), sums[1].figures(names[1])],
    ...agreement.figures(),
  };
}

class BatchSum {
  #succeeded = 0;
  #failed = 0;
  #cost: NanoUsd = 0;
  readonly #durations = new QuantileSketch();

  add({ status, costUsd, durationMs }: ComparedRow): void {
    if (status === 'succeeded') this.#succeeded += 1;
    else this.#failed += 1;
    this.#cost += usdToNano(costUsd);
    if (durationMs !== undefined) this.#durations.add(durationMs);
  }

  get documents(): number {
    return this.#succeeded + this.#failed;
  }

  figures({ batch, workflow }: BatchName): ComparedBatch {
    const milliseconds = (share: number) => {
      const value = this.#durations.quantile(share);
      return value === undefined ? null : Math.round(value);
    };
    return {
      batch,
      workflow,
      succeeded: this.#succeeded,
      failed: this.#failed,
      costUsd: nanoToUsd(this.#cost),
      costPerDocumentUsd: nanoToUsd(Math.round(this.#cost / Math.max(1, this.documents))),
      medianMs: milliseconds(0.5),
      p95Ms: milliseconds(0.95),
    };
  }
}

class AgreementSum {
  #answered = 0;
  #same = 0;
  #differing = 0;
  readonly #likeness = { documents: 0, sum: 0 };
  readonly #changes = new Map<string, number>();
  readonly #cases: BatchCase[] = [];

  add(a: ComparedRow, b: ComparedRow): void {
    const [before, after] = [answerOf(a), answerOf(b)];
    const isAnswered = before !== null && after !== null;
    const likeness = likenessOf(a, b);
    if (likeness !== undefined) {
      this.#likeness.documents += 1;
      this.#likeness.sum += likeness;
    }
    if (isAnswered) this.#answered += 1;
    if (before === after) {
      if (isAnswered) this.#same += 1;
      return;
    }
    this.#differing += 1;
    const [from, to] = [a.result?.label, b.result?.label];
    if (from !== undefined && to !== undefined) {
      const key = JSON.stringify([from, to]);
      this.#changes.set(key, (this.#changes.get(key) ?? 0) + 1);
    }
    if (this.#cases.length >= MAX_CASES) return;
    const alike = likeness === undefined ? {} : { rougeL: Number(likeness.toFixed(4)) };
    this.#cases.push({ id: a.id, a: sideOf(a, before), b: sideOf(b, after), ...alike });
  }

  figures(): Pick<BatchComparison, 'agreement' | 'changes' | 'differing' | 'cases'> {
    const [answered, same] = [this.#answered, this.#same];
    const { documents, sum } = this.#likeness;
    return {
      agreement: {
        documents: answered,
        same,
        share: answered === 0 ? null : same / answered,
        interval: answered === 0 ? null : [lowerRate(answered, same, 0.025), upperRate(answered, same, 0.025)],
        ...(documents === 0 ? {} : { rougeL: Number((sum / documents).toFixed(4)) }),
      },
      changes: [...this.#changes]
        .map(([key, count]) => {
          const [from, to] = JSON.parse(key) as [string, string];
          return { from, to, documents: count };
        })
        .sort((x, y) => y.documents - x.documents),
      differing: this.#differing,
      cases: this.#cases,
    };
  }
}

/** What two rows are equal by; null: no answer. */
function answerOf({ result }: ComparedRow): string | null {
  if (result === undefined) return null;
  return result.label ?? result.summary ?? JSON.stringify(result.fields ?? result.choices ?? result);
}

function likenessOf(a: ComparedRow, b: ComparedRow): number | undefined {
  const [before, after] = [a.result?.summary, b.result?.summary];
  if (before === undefined || after === undefined) return undefined;
  return before === after ? 1 : rouge(after, before, (text) => [text]).rougeL;
}

function sideOf({ error, result, model, costUsd }: ComparedRow, answer: string | null): CaseSide {
  return {
    answer,
    ...(error === undefined ? {} : { error: error.code }),
    ...(result?.confidence === undefined ? {} : { confidence: result.confidence }),
    ...(model === undefined ? {} : { model }),
    costUsd,
  };
}
