import type { ObservedAnswer } from './calibrate-observed.ts';

/** What rows of a workflow's results say of its first tier. */
export interface ObservedRows {
  readonly answers: readonly ObservedAnswer[];
  /** Rows that say nothing of it: failed ones, those without `attempts`, and those that a tier between has answered. */
  readonly ignored: number;
  readonly first: ObservedTier;
  readonly last: ObservedTier;
}

export interface ObservedTier {
  readonly model: string;
  /** Mean dollars of a document. */
  readonly cost: number;
}

/** Reasons of an answer that was taken. */
const KEPT: ReadonlySet<string> = new Set(['accepted', 'audited']);

interface Attempt {
  readonly tier: number;
  readonly model: string;
  readonly label?: string;
  readonly confidence?: number;
  readonly reason: string;
  readonly costUsd: number;
}

/**
 * Reads lines of `results.jsonl`. Where a document was passed on, its last answer is the right one; `truth` (by id) says so of more.
 *
 * @param lastModel answers what the others pass on
 */
export function observedRows(
  lines: Iterable<string>,
  lastModel: string,
  truth: ReadonlyMap<string, string> = new Map(),
): ObservedRows {
  const answers: ObservedAnswer[] = [];
  const costs = { first: new Mean(), last: new Mean() };
  let ignored = 0;
  let firstModel = '';
  for (const line of lines) {
    if (line.trim() === '') continue;
    const row = parse(line);
    const [first, ...others] = row?.attempts ?? [];
    if (row === undefined || first === undefined || first.label === undefined || first.model === lastModel) {
      ignored++;
      continue;
    }
    const last = others.find(({ model }) => model === lastModel);
    const right = truth.get(row.id) ?? last?.label;
    // Passed on and answered on the way: nobody knows who was right, and no audited document stands for it.
    if (right === undefined && !KEPT.has(first.reason)) {
      ignored++;
      continue;
    }
    firstModel = first.model;
    costs.first.add(first.costUsd);
    if (last !== undefined) costs.last.add(last.costUsd);
    answers.push({
      label: first.label,
      confidence: first.confidence,
      seen:
        right === undefined ? 'accepted' : first.reason === 'audited' && !truth.has(row.id) ? 'audited' : 'labelled',
      ...(right === undefined ? {} : { isError: right !== first.label }),
    });
  }
  return {
    answers,
    ignored,
    first: { model: firstModel, cost: costs.first.value },
    last: { model: lastModel, cost: costs.last.value },
  };
}

function parse(line: string): { readonly id: string; readonly attempts: readonly Attempt[] } | undefined {
  try {
    const row = JSON.parse(line);
    // What began at a later tier says nothing of documents that begin at the first one.
    const isPassedBy = (row?.route?.tier ?? 0) > 0;
    return row?.status === 'succeeded' && row.candidate !== true && !isPassedBy && Array.isArray(row.attempts)
      ? { id: row.id, attempts: row.attempts }
      : undefined;
  } catch {
    return undefined;
  }
}

class Mean {
  #sum = 0;
  #count = 0;

  add(value: number): void {
    this.#sum += value;
    this.#count++;
  }

  get value(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }
}
