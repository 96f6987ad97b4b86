import type { BatchRecord, BatchRegistry } from '../batches/batch-registry.ts';
import { figuresSoFar } from '../batches/cost-figures.ts';
import type { WorkflowHistories } from '../batches/workflow-histories.ts';
import { costPerDocument, type WorkflowHistory } from '../batches/workflow-history.ts';
import type { WorkflowPauses } from '../batches/workflow-pauses.ts';
import { PriceWatch } from '../calls/price-watch.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { calendarDay, monthOfDay } from '../ledger/period.ts';
import { batchScope, type Scope, scopesOf, type Timezones } from '../ledger/scope.ts';
import { nanoToDecimal } from '../money/money.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { AlertMemory } from './alert-memory.ts';
import type { AlertSink } from './alert-sink.ts';
import { type Alert, alertKey, type BatchSpending, decideAlerts, projectBatch, type ScopeSpending } from './alerts.ts';
import { priceAlert } from './price-alert.ts';
import { type BatchVolume, forecastAlerts, type MonthSpending, volumeAlerts } from './volume-alerts.ts';

export interface AlertContext {
  readonly batches: BatchRegistry;
  readonly ledger: Ledger;
  readonly pauses: WorkflowPauses;
  readonly histories: WorkflowHistories;
  readonly memory: AlertMemory;
  readonly sink: AlertSink;
  readonly clock: Clock;
  readonly log: Log;
  /** Workflows of the config: their limits are watched also while no batch is open. */
  readonly workflows: readonly string[];
  readonly timezones: (workflow: string) => Timezones;
  /** Looks for what else people are told of. Default: nothing. */
  readonly checkNotices?: () => Promise<void>;
  /** `alertKey` of what this process knows to be said; saves asking the cluster again and again. */
  readonly fired: Set<string>;
}

const CHECK_EVERY_MS = 3_000;

/**
 * Looks at every limit and every open batch and says what is due, to the log and the webhooks, once in the cluster.
 *
 * @param options.now checks also where another worker has just done so: before a process ends
 * @returns what this process has sent
 */
export async function checkAlerts(
  context: AlertContext,
  open: readonly BatchRecord[],
  options: { readonly now?: boolean } = {},
): Promise<readonly Alert[]> {
  if (options.now !== true && !(await context.memory.claimCheck(CHECK_EVERY_MS))) return [];
  await context.checkNotices?.();
  const measured = await Promise.all(open.map((batch) => measureBatch(context, batch)));
  const batches = measured.map(({ spending }) => spending);
  const scopes = await measureScopes(context, measured);
  const months = await measureMonths(context, measured);
  const unusual = await unusualAlerts(context, measured, months);
  const sent: Alert[] = [];
  for (const alert of [...decideAlerts({ scopes, batches }, context.fired), ...unusual]) {
    if (await sendOnce(context, alert)) sent.push(alert);
  }
  return sent;
}

/** Tells of prices in use that are not those that providers state; a difference that cannot be told now is found again. */
export function watchPrices(context: AlertContext): PriceWatch {
  return new PriceWatch((difference) => void sendOnce(context, priceAlert(difference)).catch(() => {}));
}

/** Sends an alert that the cluster has not sent yet; whether it did. */
async function sendOnce(
  context: Pick<AlertContext, 'fired' | 'memory' | 'log' | 'sink' | 'clock'>,
  alert: Alert,
): Promise<boolean> {
  const key = alertKey(alert);
  if (context.fired.has(key)) return false;
  context.fired.add(key);
  if (!(await context.memory.remember(key))) return false;
  context.log.warn('budget:alert', logFields(alert));
  context.sink.send(alert, context.clock.now());
  return true;
}

interface MeasuredBatch {
  readonly batch: BatchRecord;
  readonly spending: BatchSpending;
  readonly history: WorkflowHistory | undefined;
}

function asVolume({ batch, spending, history }: MeasuredBatch): BatchVolume {
  return { spending, inputTokens: batch.inputTokens, ...(history === undefined ? {} : { history }) };
}

/** What its slices say of a batch is read only where something is to be said: there may be a hundred thousand of them. */
async function unusualAlerts(
  { batches, clock, fired }: AlertContext,
  measured: readonly MeasuredBatch[],
  months: readonly MonthSpending[],
): Promise<readonly Alert[]> {
  const now = clock.now();
  const decide = (of: readonly BatchVolume[]) =>
    [...volumeAlerts(of, now), ...forecastAlerts(of, months, now)].filter((alert) => !fired.has(alertKey(alert)));
  if (decide(measured.map(asVolume)).length === 0) return [];
  const looked = measured.map(async (each) => {
    const figures = await figuresSoFar(batches.commits(each.batch.batchId, each.batch.slices));
    return { ...asVolume(each), ...(figures === undefined ? {} : { figures }) };
  });
  return decide(await Promise.all(looked));
}

/** The month of each workflow with an open batch. */
async function measureMonths(context: AlertContext, measured: readonly MeasuredBatch[]): Promise<MonthSpending[]> {
  const workflows = [...new Set(measured.map(({ batch }) => batch.workflow))];
  return await Promise.all(
    workflows.map(async (workflow) => {
      const day = calendarDay(context.clock.now(), context.timezones(workflow).workflow);
      const totals = await context.ledger.totals({ name: `workflow:${workflow}/month`, period: monthOfDay(day) });
      return { workflow, day, spent: totals.settled + totals.uncertain };
    }),
  );
}

async function measureBatch(context: AlertContext, batch: BatchRecord): Promise<MeasuredBatch> {
  const [totals, progress, history] = await Promise.all([
    context.ledger.totals(batchScope(batch.batchId)),
    context.batches.progress(batch.batchId),
    batch.isTrial === true ? undefined : context.histories.get(batch.workflow),
  ]);
  const committed = Object.values(batch.outcomes).reduce((sum, count) => sum + count, 0);
  const usual = costPerDocument(history);
  return {
    batch,
    history,
    spending: {
      batchId: batch.batchId,
      workflow: batch.workflow,
      documents: batch.documents,
      done: Math.min(batch.documents, committed + progress.documents),
      spent: totals.settled + totals.uncertain,
      begun: progress.begun,
      ...(usual === undefined ? {} : { usualPerDocument: usual }),
    },
  };
}

/** Every scope that an open batch is booked in, and those of the config; each with what the open batches will add. */
async function measureScopes(context: AlertContext, measured: readonly MeasuredBatch[]): Promise<ScopeSpending[]> {
  const now = context.clock.now();
  const scopes = new Map<string, { scope: Scope; batches: MeasuredBatch[]; workflows: Set<string> }>();
  const addScope = (scope: Scope, workflow: string) => {
    const key = `${scope.name}|${scope.period}`;
    const known = scopes.get(key) ?? { scope, batches: [], workflows: new Set() };
    scopes.set(key, known);
    known.workflows.add(workflow);
    return known;
  };
  for (const entry of measured) {
    const { batch } = entry;
    for (const scope of scopesOf(batch, now, context.timezones(batch.workflow))) {
      addScope(scope, batch.workflow).batches.push(entry);
    }
  }
  for (const workflow of context.workflows) {
    const [, ...shared] = scopesOf({ batchId: '', workflow }, now, context.timezones(workflow));
    for (const scope of shared) addScope(scope, workflow);
  }
  return await Promise.all([...scopes.values()].map((entry) => measureScope(context, entry)));
}

async function measureScope(
  context: AlertContext,
  { scope, batches, workflows }: { scope: Scope; batches: readonly MeasuredBatch[]; workflows: ReadonlySet<string> },
): Promise<ScopeSpending> {
  const totals = await context.ledger.totals(scope);
  const spent = totals.settled + totals.uncertain;
  if (totals.limit === undefined) return { scope, spent, reached: false };
  const held = await Promise.all([...workflows].map((workflow) => context.pauses.get(workflow)));
  const reached = [...held, ...batches.map(({ batch }) => batch.pause)].some(
    (hold) => hold?.cause === 'budget' && hold.scope === scope.name && (hold.period ?? '') === scope.period,
  );
  const projected = projectScope(spent, batches);
  return { scope, spent, limit: totals.limit, reached, ...(projected === undefined ? {} : { projected }) };
}

/** Undefined where no open batch has done enough to tell. */
function projectScope(spent: number, batches: readonly MeasuredBatch[]): number | undefined {
  const toCome = batches
    .map(({ spending }) => ({ spending, projected: projectBatch(spending) }))
    .flatMap(({ spending, projected }) => (projected === undefined ? [] : [projected - spending.spent]));
  return toCome.length === 0 ? undefined : toCome.reduce((sum, more) => sum + more, spent);
}

/** A log line has a `level` of its own. */
function logFields({ level, spent, limit, projected, perDocument, usualPerDocument, ...alert }: Alert) {
  const usd = (nano: number | undefined) => (nano === undefined ? undefined : nanoToDecimal(nano));
  return {
    ...alert,
    alertLevel: level,
    spentUsd: usd(spent),
    limitUsd: usd(limit),
    projectedUsd: usd(projected),
    perDocumentUsd: usd(perDocument),
    usualPerDocumentUsd: usd(usualPerDocument),
  };
}
