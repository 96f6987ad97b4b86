import { NightmillError } from '../../../errors.ts';
import { formatUsd } from '../../../money/money.ts';
import {
  monthlyCost,
  type OutlookAsked,
  type PlanOutlook,
  USUAL_SHARES,
} from '../../../operations/figures/plan-outlook.ts';
import type { Scenario } from '../../../plans/scenarios.ts';
import { readVolume } from '../../../plans/switch-worth.ts';
import { formatDuration } from '../../format-status.ts';
import { table } from '../../table.ts';

export interface OutlookFlags {
  readonly scenarios?: string | true;
  readonly perMonth?: string;
  readonly nights?: string;
}

/** @throws {NightmillError} `usage` */
export function readOutlook({ scenarios, perMonth, nights }: OutlookFlags): OutlookAsked {
  if (perMonth !== undefined && nights !== undefined) {
    throw new NightmillError('usage', 'Cannot use --per-month and --nights together: both say how much a month has.');
  }
  return {
    accepted: scenarios === undefined || scenarios === true ? USUAL_SHARES : readShares(scenarios),
    month:
      perMonth !== undefined
        ? { documents: readDocuments(perMonth) }
        : nights !== undefined
          ? { nights: readNights(nights) }
          : undefined,
  };
}

function readShares(text: string): readonly number[] {
  return text.split(',').map((each) => {
    const percent = each.trim() === '' ? Number.NaN : Number(each.trim().replace(/\s*%$/, ''));
    if (percent >= 0 && percent <= 100) return percent / 100;
    throw new NightmillError(
      'usage',
      `Cannot use --scenarios ${JSON.stringify(text)}: write per cents from 0 to 100, such as 60,80,95.`,
    );
  });
}

function readDocuments(text: string): number {
  const documents = readVolume(/^[\d,_]+$/.test(text) ? `${text}/month` : text);
  if (documents !== undefined) return documents;
  throw new NightmillError(
    'usage',
    `Cannot use --per-month ${JSON.stringify(text)}: write how many documents, such as 1000000 or 40000/night.`,
  );
}

function readNights(text: string): number {
  const nights = Number(text);
  if (Number.isInteger(nights) && nights > 0 && nights <= 10_000) return nights;
  throw new NightmillError('usage', `Cannot use --nights ${JSON.stringify(text)}: write how many, such as 30.`);
}

/** The scenarios as a table, one a line. */
export function scenarioLines({ scenarios, month }: PlanOutlook, documents: number): readonly string[] {
  if (scenarios.length === 0)
    return ['scenarios  none: they need documents, a cascade of two tiers or more, and the price of each model'];
  const head = [
    'accepted',
    'documents at each tier',
    'dollars',
    'time',
    'slowest',
    ...(month === undefined ? [] : ['a month']),
  ];
  const rows = scenarios.map((each) => {
    const perMonth = monthlyCost(each, month, documents);
    return [
      acceptedText(each),
      each.tiers.map((tier) => `${tier.documents.toLocaleString('en')} ${tier.model}`).join(', '),
      formatUsd(each.cost),
      formatDuration(each.minutes * 60),
      slowestOf(each),
      ...(perMonth === undefined ? [] : [formatUsd(perMonth)]),
    ];
  });
  return [
    'scenarios  what if each tier but the last accepts so many of the documents that reach it; time: one process, at the quotas',
    ...table([head, ...rows]).map((line) => `           ${line}`),
  ];
}

function acceptedText({ accepted, from }: Scenario): string {
  const shares = [...new Set(accepted.slice(0, -1).map((share) => `${Math.round(share * 100)} %`))].join(', ');
  return from === 'history' ? `${shares} (as so far)` : shares;
}

function slowestOf({ tiers }: Scenario): string {
  return tiers.reduce((a, b) => (b.minutes > a.minutes ? b : a)).model;
}

export function monthLines({ month, monthLimit }: PlanOutlook): readonly string[] {
  if (month === undefined) return [];
  const { batches, documents, from, cost } = month;
  const count = (number: number) => number.toLocaleString('en');
  const what = `${batches === undefined ? '' : `${count(batches)} ${from === 'schedule' ? 'batches by its schedule' : 'nights'}, `}${count(documents)} documents like these`;
  if (cost === undefined) return [`month      ${what}: dollars NOT KNOWN, as above`];
  const range = `low ${formatUsd(cost.low)}   expected ${formatUsd(cost.expected)}   worst case ${formatUsd(cost.worst)}`;
  const limit =
    monthLimit === undefined
      ? ''
      : cost.worst <= monthLimit
        ? `; within the workflow's ${formatUsd(monthLimit)} a month`
        : cost.expected <= monthLimit
          ? `; the workflow's ${formatUsd(monthLimit)} a month covers what is expected, not the worst case`
          : `; MORE than the workflow's ${formatUsd(monthLimit)} a month`;
  return [`month      ${what}`, `           ${range}${limit}`];
}
