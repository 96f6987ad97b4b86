import type { Config, WorkflowConfig } from '../../../config/config.ts';
import type { WorkflowHistory } from '../../batches/workflow-history.ts';
import { type NanoUsd, usdJson } from '../../money/money.ts';
import { DAYS_PER_MONTH } from '../../money/price-table.ts';
import { forecastMonth, type MonthForecast, type MonthVolume, scaleUp } from '../../plans/month.ts';
import type { BatchPlan } from '../../plans/plan-batch.ts';
import { acceptedBefore, type Scenario, scenario } from '../../plans/scenarios.ts';
import { DAY_MS } from '../../runtime/durations.ts';
import { slotsBetween } from '../../schedules/calendar.ts';
import { hostThroughput } from './throughput.ts';

/** What if so many of the documents are accepted by each tier but the last. */
export const USUAL_SHARES: readonly number[] = [0.6, 0.8, 0.95];
/** A slot every five minutes for a month, and some more. */
const MAX_SLOTS = 10_000;

export interface OutlookAsked {
  /** Shares of the documents that reach a tier and are accepted there, 0 to 1. Default: {@link USUAL_SHARES}. */
  readonly accepted?: readonly number[] | undefined;
  /** What a month has. Default: as the schedule says; without one, no month is foretold. */
  readonly month?: { readonly documents: number } | { readonly nights: number } | undefined;
}

/** What a plan says beyond the one batch. */
export interface PlanOutlook {
  /** Of finished batches first, where they say; none where there is one tier, no document, or a price is not known. */
  readonly scenarios: readonly Scenario[];
  readonly month: MonthForecast | undefined;
  /** The workflow's for a month. */
  readonly monthLimit: NanoUsd | undefined;
}

/** @param now milliseconds since the epoch */
export function planOutlook(
  config: Pick<Config, 'providers' | 'pools'>,
  { spec, schedule, budget }: Pick<WorkflowConfig, 'spec' | 'schedule' | 'budget'>,
  plan: BatchPlan,
  history: WorkflowHistory | undefined,
  { accepted = USUAL_SHARES, month, now }: OutlookAsked & { readonly now: number },
): PlanOutlook {
  const { cascade } = spec;
  const of = {
    cascade,
    loads: plan.loads,
    askingCost: plan.askingCost,
    throughput: (tier: (typeof cascade)[number]) => hostThroughput(config, tier),
  };
  const past = acceptedBefore(spec, history);
  const isOpen = cascade.length > 1 && plan.documents > 0 && plan.unpriced.length === 0;
  const alike = (share: number) => cascade.map((_, tier) => (tier === cascade.length - 1 ? 1 : share));
  const scenarios = () => [
    ...(past === undefined ? [] : [scenario(of, past, 'history')]),
    ...accepted.map((share) => scenario(of, alike(share), 'stated')),
  ];
  const volume = monthVolume(plan.documents, month, schedule, now);
  return {
    scenarios: isOpen ? scenarios() : [],
    month: volume === undefined ? undefined : forecastMonth(plan, volume),
    monthLimit: budget.month,
  };
}

function monthVolume(
  documents: number,
  month: OutlookAsked['month'],
  schedule: WorkflowConfig['schedule'],
  now: number,
): MonthVolume | undefined {
  if (month !== undefined && 'documents' in month) return { ...month, batches: undefined, from: 'stated' };
  if (month !== undefined) return { documents: documents * month.nights, batches: month.nights, from: 'stated' };
  if (schedule === undefined) return undefined;
  const batches = slotsBetween(schedule, now, now + DAYS_PER_MONTH * DAY_MS, MAX_SLOTS).length;
  return { documents: documents * batches, batches, from: 'schedule' };
}

/** Dollars of a month in which a scenario holds; undefined: no month is foretold. */
export function monthlyCost(
  { cost }: Scenario,
  month: MonthForecast | undefined,
  documents: number,
): NanoUsd | undefined {
  return month === undefined || documents === 0 ? undefined : scaleUp(cost, month.documents / documents);
}

/** `scenarios` and `month` of `plan --json`. */
export function outlookJson({ scenarios, month, monthLimit }: PlanOutlook, documents: number): object {
  return {
    scenarios: scenarios.map((each) => {
      const perMonth = monthlyCost(each, month, documents);
      return {
        accepted: each.accepted.map((share) => Number(share.toFixed(4))),
        from: each.from,
        costUsd: usdJson(each.cost),
        minutes: each.minutes,
        tiers: each.tiers.map(({ cost, ...tier }) => ({ ...tier, costUsd: usdJson(cost) })),
        monthUsd: perMonth === undefined ? null : usdJson(perMonth),
      };
    }),
    month:
      month === undefined
        ? null
        : {
            documents: month.documents,
            batches: month.batches ?? null,
            from: month.from,
            costUsd:
              month.cost === undefined
                ? null
                : {
                    low: usdJson(month.cost.low),
                    expected: usdJson(month.cost.expected),
                    worst: usdJson(month.cost.worst),
                  },
            limitUsd: monthLimit === undefined ? null : usdJson(monthLimit),
          },
  };
}
