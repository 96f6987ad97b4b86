import { usdJson } from '../money/money.ts';
import type { PowerTime } from '../providers/power-book.ts';
import { adviceJson } from './advice.ts';
import type { Report, ReportLine } from './report.ts';
import type { Rates } from './report-sums.ts';

/** As `report --json` and the API give it. */
export function reportJson(report: Report): object {
  return {
    from: new Date(report.from).toISOString(),
    to: new Date(report.to).toISOString(),
    by: report.by,
    total: lineJson(report.total),
    lines: report.lines.map((line) => ({ ...lineJson(line), costUsdByDay: line.costByDay.map(usdJson) })),
    days: report.days.map(({ day, cost, documents }) => ({ day, costUsd: usdJson(cost), documents })),
    servers: report.servers.map(({ provider, idle, ...time }) => ({
      provider,
      ...powerJson(time),
      idle: powerJson(idle),
    })),
    advice: report.advice.map(adviceJson),
    forecast:
      report.forecast === undefined
        ? null
        : {
            month: report.forecast.month,
            spentUsd: usdJson(report.forecast.spent),
            expectedUsd: usdJson(report.forecast.expected),
          },
  };
}

function lineJson({ name, sums, rates, before, repriced, power }: ReportLine): object {
  const { models, cost, uncertain, savedByCascade, savedByReuse, duplicates, cachedCalls, ...counts } = sums;
  return {
    name,
    ...counts,
    costUsd: usdJson(cost),
    uncertainUsd: usdJson(uncertain),
    power: power === undefined ? null : powerJson(power),
    saved: {
      byCascadeUsd: savedByCascade === undefined ? null : usdJson(savedByCascade),
      byReuseUsd: usdJson(savedByReuse),
      duplicates,
      cachedCalls,
    },
    ...ratesJson(rates),
    before: before === undefined ? null : ratesJson(before),
    tiers: models.map(({ tier, model, calls, accepted, cost: spent }) => ({
      tier,
      model,
      calls,
      accepted,
      acceptedShare: calls === 0 ? null : Number((accepted / calls).toFixed(4)),
      costUsd: usdJson(spent),
    })),
    pricesChanged: repriced,
  };
}

function powerJson({ ms, cost }: PowerTime) {
  return { seconds: ms / 1000, costUsd: cost === undefined ? null : usdJson(cost) };
}

function ratesJson({ costPerDocument, tokensPerDocument, failedShare, firstTierShare, p95Ms, firstByteP95Ms }: Rates) {
  const share = (value: number | undefined) => (value === undefined ? null : Number(value.toFixed(4)));
  return {
    usdPerThousandDocuments: costPerDocument === undefined ? null : usdJson(Math.round(costPerDocument * 1_000)),
    tokensPerDocument: tokensPerDocument === undefined ? null : Math.round(tokensPerDocument * 10) / 10,
    failedShare: share(failedShare),
    firstTierShare: share(firstTierShare),
    p95Ms: p95Ms ?? null,
    firstByteP95Ms: firstByteP95Ms ?? null,
  };
}
