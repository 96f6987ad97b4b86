import type { ModelTotals } from '../batches/model-totals.ts';
import type { Manifest } from '../finalize/manifest.ts';
import { calendarDay } from '../ledger/period.ts';
import type { NanoUsd } from '../money/money.ts';
import {
  addPowerTime,
  type PowerShare,
  type PowerTime,
  type ProviderTime,
  sumByProvider,
} from '../providers/power-book.ts';
import { DAY_MS } from '../runtime/durations.ts';
import { LOCAL_MODEL_NAME } from '../workflows/workflow.ts';
import type { Advice } from './advice.ts';
import { askedDocuments, costOf, type Rates, ratesOf, type Sums, sumOf } from './report-sums.ts';

export const REPORT_GROUPS = ['workflow', 'model', 'provider', 'tenant'] as const;
export type ReportGroup = (typeof REPORT_GROUPS)[number];

/** A batch that has ended, and the models whose price is another one now. */
export interface ReportedBatch {
  readonly manifest: Manifest;
  /** Models of its cascade that have another price in the config now. */
  readonly repriced: readonly string[];
}

export interface ReportLine {
  /** Name of the workflow, model, provider or tenant; null: batches without a tenant. */
  readonly name: string | null;
  readonly sums: Sums;
  readonly rates: Rates;
  /** Of the period before; absent: there was none of it. */
  readonly before?: Rates;
  /** Its part of the time of own servers, beside the money of `sums`. Absent: it has had none, or it is not known by model. */
  readonly power?: PowerTime;
  /** What the dollars would be other at today's prices for. */
  readonly repriced: readonly string[];
}

export interface Report {
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
  readonly by: ReportGroup;
  readonly total: ReportLine;
  readonly lines: readonly (ReportLine & {
    /** Of each of `days`, in their order. */
    readonly costByDay: readonly NanoUsd[];
  })[];
  /** Every calendar day of the period, the oldest first. */
  readonly days: readonly { readonly day: string; readonly cost: NanoUsd; readonly documents: number }[];
  /** Servers that were switched on for batches, on the days of the period, UTC. */
  readonly servers: readonly (ProviderTime & { readonly idle: PowerTime })[];
  /** What the data say of thresholds, labels and caches. */
  readonly advice: readonly Advice[];
  /** The whole month at the present rate; absent: not known. */
  readonly forecast?: { readonly month: string; readonly spent: NanoUsd; readonly expected: NanoUsd };
}

export interface ReportRequest {
  /** Of both periods; those that were retries are in the batch that they belong to. */
  readonly batches: readonly ReportedBatch[];
  readonly now: number;
  readonly days: number;
  readonly by: ReportGroup;
  readonly timezone: string;
  readonly advice: readonly Advice[];
  /** What was booked for servers on the days of the period. */
  readonly power: readonly PowerShare[];
  /** Spent in the present month; absent: whoever asks may not see it. */
  readonly monthSpent?: NanoUsd;
}

/** What the batches of the last days have cost and done, beside the days before. */
export function buildReport(request: ReportRequest): Report {
  const { now, days, by, timezone } = request;
  const from = now - days * DAY_MS;
  const batches = request.batches.filter(({ manifest }) => manifest.retryOf === undefined);
  const within = (start: number, end: number) =>
    batches.filter(({ manifest }) => {
      const at = Date.parse(manifest.finishedAt);
      return at > start && at <= end;
    });
  const present = within(from, now);
  const before = within(from - days * DAY_MS, from);
  const past = groupsOf(before, by);
  const tenants = new Map(present.map(({ manifest }) => [manifest.batchId, manifest.tenant ?? null]));
  const powerOf = (name: string | null) =>
    withPower(request.power.filter((share) => nameOf(share, by, tenants) === name));
  const forecast = forecastOf(request, present);
  return {
    from,
    to: now,
    by,
    total: { ...lineOf(null, present, before), ...withPower(request.power) },
    lines: [...groupsOf(present, by)]
      .map(([name, group]) => ({
        ...lineOf(name, group, past.get(name) ?? []),
        ...powerOf(name),
        costByDay: daysOf(group, { from, now, timezone }).map(({ cost }) => cost),
      }))
      .sort((a, b) => b.sums.cost - a.sums.cost || ((a.name ?? '') < (b.name ?? '') ? -1 : 1)),
    days: daysOf(present, { from, now, timezone }),
    servers: serversOf(request.power),
    advice: request.advice,
    ...(forecast === undefined ? {} : { forecast }),
  };
}

function withPower(shares: readonly PowerShare[]): Pick<ReportLine, 'power'> {
  return shares.length === 0 ? {} : { power: addPowerTime(shares) };
}

/** Whose line a share belongs to; undefined: none. */
function nameOf(
  { provider, workflow, batch = '' }: PowerShare,
  by: ReportGroup,
  tenants: ReadonlyMap<string, string | null>,
): string | null | undefined {
  if (by === 'workflow') return workflow;
  if (by === 'provider') return provider;
  return by === 'tenant' ? tenants.get(batch) : undefined;
}

function serversOf(shares: readonly PowerShare[]): Report['servers'] {
  return sumByProvider(shares).map((server) => {
    const idle = shares.filter(({ provider, batch }) => provider === server.provider && batch === undefined);
    return { ...server, idle: addPowerTime(idle) };
  });
}

function lineOf(name: string | null, batches: readonly ReportedBatch[], before: readonly ReportedBatch[]): ReportLine {
  const sums = sumOf(batches.map(({ manifest }) => manifest));
  return {
    name,
    sums,
    rates: ratesOf(sums),
    ...(before.length === 0 ? {} : { before: ratesOf(sumOf(before.map(({ manifest }) => manifest))) }),
    repriced: [...new Set(batches.flatMap(({ repriced }) => repriced))].sort(),
  };
}

function groupsOf(batches: readonly ReportedBatch[], by: ReportGroup): ReadonlyMap<string | null, ReportedBatch[]> {
  const groups = new Map<string | null, ReportedBatch[]>();
  const add = (name: string | null, batch: ReportedBatch) => groups.set(name, [...(groups.get(name) ?? []), batch]);
  for (const batch of batches) {
    if (by === 'workflow') add(batch.manifest.workflow, batch);
    else if (by === 'tenant') add(batch.manifest.tenant ?? null, batch);
    else {
      const nameOfModel = by === 'model' ? ({ model }: ModelTotals) => model : providerOf;
      for (const name of new Set(batch.manifest.models.map(nameOfModel))) {
        add(
          name,
          ofModels(batch, (model) => nameOfModel(model) === name),
        );
      }
    }
  }
  return groups;
}

/** Manifests of earlier versions do not say it. */
function providerOf({ model, provider = model === LOCAL_MODEL_NAME ? model : '(not known)' }: ModelTotals): string {
  return provider;
}

/** What some models did in a batch, as if it were a batch: its documents are those that they answered. */
function ofModels({ manifest, repriced }: ReportedBatch, isOne: (model: ModelTotals) => boolean): ReportedBatch {
  const models = manifest.models.filter(isOne);
  const names = new Set(models.map(({ model }) => model));
  const sum = (of: (model: ModelTotals) => number) => models.reduce((total, each) => total + of(each), 0);
  const uncertain = manifest.uncertain.filter(({ model }) => names.has(model));
  const accepted = sum((each) => each.accepted);
  const { strongest: _, ...rest } = manifest;
  return {
    manifest: {
      ...rest,
      models,
      documents: { total: accepted, succeeded: accepted, failed: 0, cancelled: 0, expired: 0, skipped: 0 },
      usage: {
        inputTokens: sum(({ usage }) => usage.inputTokens),
        cachedInputTokens: sum(({ usage }) => usage.cachedInputTokens),
        outputTokens: sum(({ usage }) => usage.outputTokens),
        reasoningTokens: sum(({ usage }) => usage.reasoningTokens),
      },
      cost: sum(({ cost }) => cost),
      uncertain,
      uncertainCost: uncertain.reduce((total, { cost }) => total + cost, 0),
      reused: { duplicates: 0, cached: 0, earlier: 0, saved: 0 },
    },
    repriced: repriced.filter((model) => names.has(model)),
  };
}

function daysOf(
  batches: readonly ReportedBatch[],
  { from, now, timezone }: { readonly from: number; readonly now: number; readonly timezone: string },
): Report['days'] {
  const days = new Map<string, { cost: number; documents: number }>();
  // Half days, so that no day is left out where one has 23 or 25 hours.
  for (let at = from + 1; at <= now; at += DAY_MS / 2) days.set(calendarDay(at, timezone), { cost: 0, documents: 0 });
  days.set(calendarDay(now, timezone), { cost: 0, documents: 0 });
  for (const { manifest } of batches) {
    const day = days.get(calendarDay(Date.parse(manifest.finishedAt), timezone));
    if (day === undefined) continue;
    day.cost += costOf(manifest);
    day.documents += askedDocuments(manifest);
  }
  return [...days].map(([day, sums]) => ({ day, ...sums }));
}

/** What is spent of the month, and the days that are left at the average of the days since the first batch. */
function forecastOf(
  { now, timezone, monthSpent, power }: ReportRequest,
  batches: readonly ReportedBatch[],
): Report['forecast'] | undefined {
  if (monthSpent === undefined || batches.length === 0) return undefined;
  const first = Math.min(...batches.map(({ manifest }) => Date.parse(manifest.createdAt)));
  const days = Math.max(1, (now - first) / DAY_MS);
  const servers = power.reduce((sum, { cost = 0 }) => sum + cost, 0);
  const perDay = (batches.reduce((sum, { manifest }) => sum + costOf(manifest), 0) + servers) / days;
  const [year = 0, month = 0, day = 0] = calendarDay(now, timezone).split('-').map(Number);
  const daysLeft = new Date(Date.UTC(year, month, 0)).getUTCDate() - day;
  return {
    month: `${year}-${String(month).padStart(2, '0')}`,
    spent: monthSpent,
    expected: monthSpent + Math.round(perDay * daysLeft),
  };
}
