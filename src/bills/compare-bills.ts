import type { NanoUsd } from '../money/money.ts';
import { priceCall, type TokenPrice } from '../money/price.ts';
import { NO_USAGE, type Usage } from '../money/usage.ts';
import { addBillSums, type BillCell, type BillSums, type BillTotals, NO_BILL } from './bill-sums.ts';

/** What one batch booked for one model. */
export interface OurUsage {
  readonly batchId: string;
  /** The provider's name of the model. */
  readonly model: string;
  /** First and last day of the batch in UTC, `YYYY-MM-DD`: when within it a call was made is not kept. */
  readonly fromDay: string;
  readonly toDay: string;
  readonly calls: number;
  readonly usage: Usage;
  readonly cost: NanoUsd;
  /** Calls that the provider may or may not have billed, and the most that it can have billed for them. */
  readonly uncertainCalls: number;
  readonly uncertainCost: NanoUsd;
  /** Turns tokens into money where the bill has none. */
  readonly price?: TokenPrice;
}

export interface OurSums {
  readonly calls: number;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly cost: NanoUsd;
  readonly uncertainCalls: number;
  readonly uncertainCost: NanoUsd;
}

/** What makes a difference; `unexplained` ones fail the comparison. */
export type Cause =
  | { readonly kind: 'uncertain'; readonly calls: number; readonly cost: NanoUsd }
  | { readonly kind: 'rounding'; readonly cost: NanoUsd }
  | { readonly kind: 'price' | 'not_ours' | 'not_billed' | 'unknown_model'; readonly cost: NanoUsd };

/** Ours and theirs of one model, or of some days. `theirs.cost - ours.cost = explained + rounding + unexplained`. */
export interface Comparison {
  /** The provider's name of the model; the day or `FIRST..LAST`. */
  readonly name: string;
  readonly ours: OurSums;
  readonly theirs: BillSums;
  /** By uncertain calls. */
  readonly explained: NanoUsd;
  readonly rounding: NanoUsd;
  readonly unexplained: NanoUsd;
  readonly tokensAgree: boolean;
  readonly causes: readonly Cause[];
  readonly isExplained: boolean;
}

export interface Reconciliation {
  readonly models: readonly Comparison[];
  /** Empty where the bill has no times. Batches that overlap in days are compared over all their days together. */
  readonly days: readonly Comparison[];
  readonly total: Comparison;
  readonly repeated: BillTotals['repeated'];
  /** The bill has no money: both sides are the tokens at the config's prices, long-context rates left out. */
  readonly isPriced: boolean;
}

const NOTHING: OurSums = {
  calls: 0,
  inputTokens: 0,
  cachedInputTokens: 0,
  outputTokens: 0,
  cost: 0,
  uncertainCalls: 0,
  uncertainCost: 0,
};

/** Compares what was booked with what was billed, by model and by day, and names what differs. */
export function reconcile(ours: readonly OurUsage[], bill: BillTotals): Reconciliation {
  const modelOf = modelMatcher([...new Set(ours.map((entry) => entry.model))]);
  const cells = bill.cells.map((cell) => ({ ...cell, model: modelOf(cell.model) }));
  const names = [...new Set([...ours.map((entry) => entry.model), ...cells.map((cell) => cell.model)])].sort();
  const compareModel = (name: string, spans: (from: string, to: string) => boolean) =>
    compare(
      name,
      ours.filter((entry) => entry.model === name && spans(entry.fromDay, entry.toDay)),
      cells.filter((cell) => cell.model === name && spans(cell.day, cell.day)),
      bill,
    );
  const models = names.map((name) => compareModel(name, () => true));
  const days = cells.some((cell) => cell.day === '')
    ? []
    : daySpans(ours, cells).map(({ from, to }) =>
        sumComparisons(
          from === to ? from : `${from}..${to}`,
          names.map((name) => compareModel(name, (first, last) => first >= from && last <= to)),
        ),
      );
  return {
    models,
    days,
    total: sumComparisons('total', models),
    repeated: bill.repeated,
    isPriced: !bill.hasCost,
  };
}

function compare(name: string, entries: readonly OurUsage[], cells: readonly BillCell[], bill: BillTotals): Comparison {
  const summed = sumOurs(entries);
  const billed = cells.reduce<BillSums>(addBillSums, NO_BILL);
  const price = entries.find((entry) => entry.price !== undefined)?.price;
  const ours = bill.hasCost ? summed : { ...summed, cost: priceTokens(price, summed) };
  const theirs = bill.hasCost ? billed : { ...billed, cost: priceTokens(price, billed) };
  const difference = theirs.cost - ours.cost;
  const [more, fewer] = tokenSigns(ours, theirs);
  const tokensEqual = bill.hasTokens && !more && !fewer;
  // An uncertain call that was billed shows in the tokens, too.
  const explained = tokensEqual ? 0 : Math.min(Math.max(difference, 0), ours.uncertainCost);
  const rest = difference - explained;
  const isRounding = Math.abs(rest) <= roundingOf(bill, theirs.lines, ours.calls);
  const tokensAgree = !bill.hasTokens || (!fewer && (!more || ours.uncertainCalls > 0));
  const unexplained = isRounding ? 0 : rest;
  const rounding = isRounding ? rest : 0;
  const isKnown = entries.length > 0;
  const isExplained = unexplained === 0 && tokensAgree;
  const causes: Cause[] = [];
  if (explained > 0) causes.push({ kind: 'uncertain', calls: ours.uncertainCalls, cost: explained });
  if (rounding !== 0) causes.push({ kind: 'rounding', cost: rounding });
  if (!isExplained) {
    const kind = !isKnown
      ? 'unknown_model'
      : tokensEqual
        ? 'price'
        : fewer || unexplained < 0
          ? 'not_billed'
          : 'not_ours';
    causes.push({ kind, cost: unexplained });
  }
  return { name, ours, theirs, explained, rounding, unexplained, tokensAgree, causes, isExplained };
}

/** Whether the bill has more, and whether it has fewer, tokens of any kind. */
function tokenSigns(ours: OurSums, theirs: BillSums): readonly [more: boolean, fewer: boolean] {
  const differences = [theirs.inputTokens - ours.inputTokens, theirs.outputTokens - ours.outputTokens];
  return [differences.some((tokens) => tokens > 0), differences.some((tokens) => tokens < 0)];
}

/** The most that two honest sums differ by because each line, or each call, was rounded. */
function roundingOf({ hasCost, costDecimals }: BillTotals, lines: number, calls: number): NanoUsd {
  if (!hasCost) return 1;
  if (costDecimals === undefined) return 0;
  // `1.5` may be written short; no provider bills coarser than cents. We round each call up to a whole nano-dollar.
  const decimals = Math.min(Math.max(costDecimals, 2), 9);
  return Math.ceil((lines * 10 ** (9 - decimals)) / 2) + calls;
}

/** A sum of calls is no long call, so that long-context rates have no place here. */
function priceTokens(price: TokenPrice | undefined, tokens: OurSums | BillSums): NanoUsd {
  if (price === undefined) return 0;
  const { longContext: _, ...flat } = price;
  const { inputTokens, cachedInputTokens, outputTokens } = tokens;
  return priceCall(flat, { ...NO_USAGE, inputTokens, cachedInputTokens, outputTokens });
}

function sumOurs(entries: readonly OurUsage[]): OurSums {
  return entries.reduce<OurSums>((sum, { usage, ...entry }) => addOurs(sum, { ...entry, ...usage }), NOTHING);
}

function addOurs(a: OurSums, b: OurSums): OurSums {
  return {
    calls: a.calls + b.calls,
    inputTokens: a.inputTokens + b.inputTokens,
    cachedInputTokens: a.cachedInputTokens + b.cachedInputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cost: a.cost + b.cost,
    uncertainCalls: a.uncertainCalls + b.uncertainCalls,
    uncertainCost: a.uncertainCost + b.uncertainCost,
  };
}

/** Differences of models never cancel out: a sum is explained only if each part is. */
function sumComparisons(name: string, parts: readonly Comparison[]): Comparison {
  const sum = (of: (part: Comparison) => number) => parts.reduce((total, part) => total + of(part), 0);
  return {
    name,
    ours: parts.reduce((total, part) => addOurs(total, part.ours), NOTHING),
    theirs: parts.reduce((total, part) => addBillSums(total, part.theirs), NO_BILL),
    explained: sum((part) => part.explained),
    rounding: sum((part) => part.rounding),
    unexplained: sum((part) => part.unexplained),
    tokensAgree: parts.every((part) => part.tokensAgree),
    causes: parts.flatMap((part) => part.causes),
    isExplained: parts.every((part) => part.isExplained),
  };
}

/** Days of batches that overlap become one span, in which every one of their calls lies; other billed days stand alone. */
function daySpans(ours: readonly OurUsage[], cells: readonly BillCell[]): readonly { from: string; to: string }[] {
  const ranges = [
    ...ours.map(({ fromDay, toDay }) => ({ from: fromDay, to: toDay })),
    ...cells.map(({ day }) => ({ from: day, to: day })),
  ].sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
  const spans: { from: string; to: string }[] = [];
  for (const range of ranges) {
    const last = spans.at(-1);
    if (last === undefined || range.from > last.to) spans.push({ ...range });
    else if (range.to > last.to) last.to = range.to;
  }
  return spans;
}

/**
 * Whose model a name on the bill is: ours if it is written the same but for case and punctuation (`Claude Haiku 4.5`),
 * or also but for the date at its end, as long as that fits only one of ours.
 */
function modelMatcher(ours: readonly string[]): (billed: string) => string {
  const undated = (name: string) => plainModel(name).replace(/-(\d{8}|\d{4}-\d{2}-\d{2})$/, '');
  return (billed) => {
    if (ours.includes(billed)) return billed;
    const same = ours.filter((name) => plainModel(name) === plainModel(billed));
    if (same.length === 1) return same[0] ?? billed;
    const isUndated = (name: string) => undated(name) === plainModel(name);
    const near = ours.filter((name) => undated(name) === undated(billed) && (isUndated(name) || isUndated(billed)));
    return near.length === 1 ? (near[0] ?? billed) : billed;
  };
}

function plainModel(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
}
