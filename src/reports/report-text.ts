import { formatUsd } from '../money/money.ts';
import { powerText } from '../providers/power-book.ts';
import { count, percent } from './format-figures.ts';
import type { Report, ReportLine } from './report.ts';
import type { Rates } from './report-sums.ts';

/** A change under so much is no news. */
const NEWS_SHARE = 0.1;

/** Each figure of a line with its change since the period before, where both are known. */
export function rateTexts({ rates, before }: Pick<ReportLine, 'rates' | 'before'>): readonly {
  readonly name: string;
  readonly text: string;
  /** It has changed by a tenth or more. */
  readonly isNews: boolean;
}[] {
  const kinds: readonly [keyof Rates, string, (value: number) => string][] = [
    ['costPerDocument', 'dollars for 1,000 documents', (value) => formatUsd(Math.round(value * 1_000))],
    ['tokensPerDocument', 'tokens a document', (value) => count(Math.round(value))],
    ['failedShare', 'failed', percent],
    ['firstTierShare', 'answered by the first tier', percent],
    ['p95Ms', 'p95 of a call', (value) => `${count(value)} ms`],
    ['firstByteP95Ms', 'p95 to its first byte', (value) => `${count(value)} ms`],
  ];
  return kinds.flatMap(([key, name, format]) => {
    const value = rates[key];
    if (value === undefined) return [];
    const old = before?.[key];
    if (old === undefined) return [{ name, text: format(value), isNews: false }];
    const change = old === 0 ? undefined : value / old - 1;
    const isNews = change === undefined ? value !== 0 : Math.abs(change) >= NEWS_SHARE;
    const sign = change !== undefined && change > 0 ? '+' : '';
    const how =
      change === undefined ? `was ${format(old)}` : `${sign}${(change * 100).toFixed(0)} %, was ${format(old)}`;
    return [{ name, text: `${format(value)} (${how})`, isNews }];
  });
}

/** Of own servers: how long they were on, what that cost, and how much of it nobody needed them. */
export function serverTexts({ servers }: Pick<Report, 'servers'>): readonly string[] {
  return servers.map(({ provider, idle, ...time }) => {
    const unused = idle.ms === 0 ? '' : `; of it without an open batch ${powerText(idle)}`;
    return `${provider}: on for ${powerText(time)}${unused}`;
  });
}

/** The dollars of a line with those of its servers; undefined: it has none. */
export function withServersText({ sums, power }: Pick<ReportLine, 'sums' | 'power'>): string | undefined {
  if (power === undefined) return undefined;
  if (power.cost === undefined) return `${formatUsd(sums.cost)} and servers whose cost is NOT KNOWN`;
  return `${formatUsd(sums.cost + power.cost)} with ${formatUsd(power.cost)} of servers`;
}

/** What did not have to be paid for, and why; nothing where nothing is known. */
export function savedTexts({ sums }: Pick<ReportLine, 'sums'>): readonly string[] {
  const { savedByCascade, savedByReuse, duplicates, cachedCalls } = sums;
  return [
    ...(savedByCascade === undefined
      ? []
      : [`${formatUsd(savedByCascade)} by the cascade, beside the strongest model alone`]),
    ...(duplicates + cachedCalls === 0
      ? []
      : [`${formatUsd(savedByReuse)} by ${count(duplicates)} equal documents and ${count(cachedCalls)} cached calls`]),
  ];
}
