import { batchScope, type Scope, type ScopeName } from '../ledger/scope.ts';
import { formatUsd, type NanoUsd } from '../money/money.ts';

/** The money of one scope in one period, as of now. */
export interface ScopeSpending {
  readonly scope: Scope;
  /** Settled and uncertain together. */
  readonly spent: NanoUsd;
  readonly limit?: NanoUsd;
  /** A call was refused because of this limit, though a little of it may be left. */
  readonly reached: boolean;
  /** What will have been spent when the open batches are done; absent while too little is known. */
  readonly projected?: NanoUsd;
}

/** A batch at work, for its drift from what its workflow usually costs. */
export interface BatchSpending {
  readonly batchId: string;
  readonly workflow: string;
  readonly documents: number;
  readonly done: number;
  readonly spent: NanoUsd;
  /** Of it, what documents have cost that are not done. Default: nothing. */
  readonly begun?: NanoUsd;
  /** Nano-dollars, with decimals; absent without history. */
  readonly usualPerDocument?: number;
}

export type AlertLevel = '50%' | '80%' | '100%' | 'projection' | 'drift' | 'volume' | 'forecast' | 'price_differs';

/** One cause of an alert: what it is now and what it usually is; null: not known, or not yet. */
export interface AlertPart {
  readonly name: string;
  readonly now: number | null;
  readonly usual: number | null;
}

export interface Alert {
  readonly scope: ScopeName;
  /** `YYYY-MM-DD`, `YYYY-MM`, or empty for a batch. */
  readonly period: string;
  readonly level: AlertLevel;
  /** One sentence for the person who reads it at midnight, with what to do. */
  readonly message: string;
  readonly spent: NanoUsd;
  readonly limit?: NanoUsd;
  readonly projected?: NanoUsd;
  /** Nano-dollars, rounded. */
  readonly perDocument?: NanoUsd;
  readonly usualPerDocument?: NanoUsd;
  /** At levels `volume` and `forecast`: what the cost comes from. */
  readonly parts?: readonly AlertPart[];
}

/** Before this part of a batch is done, calls in flight distort what a document seems to cost. */
const MIN_SHARE_DONE = 0.05;
/** What a document costs on average says little before so much of a batch is done: the cheap ones are done first. */
const MIN_SHARE_FOR_DRIFT = 0.2;
const MIN_DOCUMENTS_DONE = 20;
/** Alert above this ratio to the usual cost of a document, and below its counterpart. */
const DRIFT_UP = 1.5;
const DRIFT_DOWN = 0.5;

/**
 * What an alert is remembered by. A limit that is changed is a new one: what was said about the old one no longer
 * holds, so it may be said again.
 */
export function alertKey({ scope, period, level, limit }: Alert): string {
  return [scope, period, level, ...(limit === undefined ? [] : [limit])].join('|');
}

/**
 * The alerts that are due and have not fired. Of the shares of a limit only the highest that is passed is due: whoever
 * reads that 80 % are gone need not be told of the 50 %.
 *
 * @param fired `alertKey` of everything that was said before
 */
export function decideAlerts(
  state: { readonly scopes: readonly ScopeSpending[]; readonly batches: readonly BatchSpending[] },
  fired: ReadonlySet<string>,
): readonly Alert[] {
  const due = [
    ...state.scopes.flatMap((spending) => [shareAlert(spending), projectionAlert(spending)]),
    ...state.batches.map(driftAlert),
  ];
  return due.filter((alert) => alert !== undefined && !fired.has(alertKey(alert))) as Alert[];
}

/** What a batch will have cost at its present rate; undefined before enough of it is done. */
export function projectBatch(batch: Omit<BatchSpending, 'workflow'>): NanoUsd | undefined {
  const { documents, done } = batch;
  return isTelling(documents, done, MIN_SHARE_DONE) ? Math.round(costPerDone(batch) * documents) : undefined;
}

function costPerDone({ spent, begun = 0, done }: Pick<BatchSpending, 'spent' | 'begun' | 'done'>): number {
  return Math.max(0, spent - begun) / done;
}

function isTelling(documents: number, done: number, leastShare: number): boolean {
  return done >= MIN_DOCUMENTS_DONE && done >= documents * leastShare;
}

function shareAlert({ scope, spent, limit, reached }: ScopeSpending): Alert | undefined {
  if (limit === undefined) return undefined;
  const level = levelOf(spent, limit, reached);
  if (level === undefined) return undefined;
  const what = `${nameOf(scope)}: ${formatUsd(spent)} of the limit ${formatUsd(limit)}`;
  const message =
    level === '100%'
      ? `${what} are spent: the limit is reached and the work that it covers pauses. Raise it: nightmill budget set ${scope.name} USD`
      : `${what} are spent (${Math.floor((spent * 100) / limit)} %).`;
  return { scope: scope.name, period: scope.period, level, message, spent, limit };
}

function levelOf(spent: NanoUsd, limit: NanoUsd, reached: boolean): AlertLevel | undefined {
  if (reached || (spent >= limit && spent > 0)) return '100%';
  if (spent === 0) return undefined;
  if (spent >= limit * 0.8) return '80%';
  return spent >= limit * 0.5 ? '50%' : undefined;
}

function projectionAlert({ scope, spent, limit, reached, projected }: ScopeSpending): Alert | undefined {
  if (limit === undefined || limit === 0 || reached || projected === undefined) return undefined;
  if (projected <= limit * 1.2 || spent >= limit) return undefined;
  const above = Math.floor((projected * 100) / limit) - 100;
  return {
    scope: scope.name,
    period: scope.period,
    level: 'projection',
    message:
      `${nameOf(scope)}: the open work will have cost ${formatUsd(projected)}, ${above} % above the limit ${formatUsd(limit)}; ` +
      `${formatUsd(spent)} are spent so far. It will pause at the limit.`,
    spent,
    limit,
    projected,
  };
}

function driftAlert(batch: BatchSpending): Alert | undefined {
  const { documents, done, spent, usualPerDocument: usual } = batch;
  if (usual === undefined || usual <= 0 || !isTelling(documents, done, MIN_SHARE_FOR_DRIFT)) return undefined;
  const perDocument = costPerDone(batch);
  if (perDocument <= usual * DRIFT_UP && perDocument >= usual * DRIFT_DOWN) return undefined;
  const scope = batchScope(batch.batchId);
  return {
    scope: scope.name,
    period: scope.period,
    level: 'drift',
    message:
      `${scope.name} costs ${formatUsd(Math.round(perDocument))} a document, ${(perDocument / usual).toFixed(1)} times what ` +
      `workflow ${batch.workflow} usually does (${formatUsd(Math.round(usual))}); ${done} of ${documents} documents are done.`,
    spent,
    perDocument: Math.round(perDocument),
    usualPerDocument: Math.round(usual),
  };
}

function nameOf({ name, period }: Scope): string {
  return period === '' ? name : `${name} (${period})`;
}
