import { acceptance, type CostFigures, priceOf, retryRate } from '../batches/cost-figures.ts';
import { type UsualBatch, usualBatch, type WorkflowHistory } from '../batches/workflow-history.ts';
import { monthOfDay } from '../ledger/period.ts';
import { batchScope } from '../ledger/scope.ts';
import { formatUsd, type NanoUsd } from '../money/money.ts';
import { type Alert, type AlertPart, type BatchSpending, projectBatch } from './alerts.ts';

/** An open batch beside what its workflow usually does. */
export interface BatchVolume {
  readonly spending: BatchSpending;
  readonly inputTokens: number;
  readonly history?: WorkflowHistory;
  /** Of what is done of it. Absent: nothing is, or nobody has looked. */
  readonly figures?: CostFigures;
}

/** What a workflow has spent in its month. */
export interface MonthSpending {
  readonly workflow: string;
  /** The workflow's calendar day, `YYYY-MM-DD`. */
  readonly day: string;
  readonly spent: NanoUsd;
}

/** Fewer finished batches say nothing about what is usual. */
const MIN_BATCHES = 3;
/** A batch with this many times the usual documents is told of; a third more on some nights is usual. */
const VOLUME_UP = 2;
/** Differences of a few documents are no news, whatever their ratio. */
const MIN_MORE_DOCUMENTS = 20;
const FORECAST_UP = 1.2;

/** Batches with many more documents than usual, told before they have spent much. */
export function volumeAlerts(batches: readonly BatchVolume[], now: number): readonly Alert[] {
  return batches.flatMap((batch) => {
    const usual = usualOf(batch, now);
    const { documents, batchId, workflow, spent } = batch.spending;
    if (usual === undefined || documents < usual.documents * VOLUME_UP) return [];
    if (documents - usual.documents < MIN_MORE_DOCUMENTS) return [];
    const expected = expectedCost(batch, usual);
    const scope = batchScope(batchId);
    const parts = partsOf(batch, usual);
    const message =
      `${scope.name} has ${documents.toLocaleString('en')} documents, ${ratio(documents, usual.documents)} times what workflow ` +
      `${workflow} usually has (${Math.round(usual.documents).toLocaleString('en')}); it will cost about ${formatUsd(expected)} instead of ` +
      `${formatUsd(Math.round(usual.cost))}: ${describeParts(parts)}. To stop it: nightmill cancel ${batchId}`;
    return [{ scope: scope.name, period: scope.period, level: 'volume', message, spent, projected: expected, parts }];
  });
}

/** Months that will cost over a fifth more than the workflow's usual batches would make them cost. */
export function forecastAlerts(
  batches: readonly BatchVolume[],
  months: readonly MonthSpending[],
  now: number,
): readonly Alert[] {
  return months.flatMap(({ workflow, day, spent }) => {
    const own = batches.filter(({ spending }) => spending.workflow === workflow);
    const known = own.flatMap((batch) => {
      const usual = usualOf(batch, now);
      return usual === undefined ? [] : [{ batch, usual, expected: expectedCost(batch, usual) }];
    });
    const [dearest] = known.toSorted((a, b) => b.expected - a.expected);
    const perDay = dearest?.usual.perDay;
    if (dearest === undefined || perDay === undefined || dearest.usual.cost <= 0) return [];
    const { usual, batch } = dearest;
    const days = daysOf(day);
    const usualMonth = Math.round(usual.cost * perDay * days.month);
    const toCome = known.reduce((sum, each) => sum + Math.max(0, each.expected - each.batch.spending.spent), 0);
    const forecast = Math.round(spent + toCome + usual.cost * perDay * days.left);
    if (forecast <= usualMonth * FORECAST_UP) return [];
    const above = Math.round((forecast * 100) / usualMonth) - 100;
    const parts = partsOf(batch, usual);
    return [
      {
        scope: `workflow:${workflow}/month`,
        period: monthOfDay(day),
        level: 'forecast' as const,
        message:
          `workflow ${workflow} will cost about ${formatUsd(forecast)} this month, ${above} % above the ${formatUsd(usualMonth)} that its usual ` +
          `batches make; ${formatUsd(spent)} are spent. Because of batch ${batch.spending.batchId}: ${describeParts(parts)}.`,
        spent,
        projected: forecast,
        parts,
      },
    ];
  });
}

function usualOf({ history }: BatchVolume, now: number): UsualBatch | undefined {
  return history === undefined || history.batches < MIN_BATCHES ? undefined : usualBatch(history, now);
}

/** By its own rate where enough of it is done, else by its tokens at the usual rate. */
function expectedCost({ spending, inputTokens }: BatchVolume, usual: UsualBatch): NanoUsd {
  const share = usual.inputTokens > 0 ? inputTokens / usual.inputTokens : spending.documents / usual.documents;
  return Math.max(spending.spent, projectBatch(spending) ?? Math.round(usual.cost * share));
}

/** What the cost of a batch comes from, each apart from the others. */
function partsOf({ spending, inputTokens, figures, history }: BatchVolume, usual: UsualBatch): readonly AlertPart[] {
  const tokens = (all: number, documents: number) => Math.round(all / Math.max(1, documents));
  const known = history?.figures;
  const part = (name: string, of: (figures: CostFigures, usual: CostFigures) => number | undefined): AlertPart => {
    const value = (own: CostFigures | undefined) => {
      const found = own === undefined || known === undefined ? undefined : of(own, known);
      return found === undefined ? null : rounded(found);
    };
    return { name, now: value(figures), usual: value(known) };
  };
  return [
    { name: 'documents', now: spending.documents, usual: Math.round(usual.documents) },
    {
      name: 'tokens a document',
      now: tokens(inputTokens, spending.documents),
      usual: tokens(usual.inputTokens, usual.documents),
    },
    part('acceptance, % by the first tier', acceptance),
    part('price, USD per million tokens', priceOf),
    part('retries of 100 calls', retryRate),
  ];
}

/** What is not known is left out: a sentence is for what has changed. */
function describeParts(parts: readonly AlertPart[]): string {
  return parts
    .flatMap(({ name, now, usual }) =>
      now === null || usual === null
        ? []
        : [`${name} ${now.toLocaleString('en')} (usually ${usual.toLocaleString('en')})`],
    )
    .join('; ');
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

function ratio(now: number, usual: number): string {
  const times = now / usual;
  return times >= 10 ? Math.round(times).toString() : times.toFixed(1);
}

/** Days of the month of a day, and those after it. */
function daysOf(day: string): { readonly month: number; readonly left: number } {
  const [year = 1970, month = 1, date = 1] = day.split('-').map(Number);
  const inMonth = new Date(Date.UTC(year, month, 0)).getUTCDate();
  return { month: inMonth, left: inMonth - date };
}
