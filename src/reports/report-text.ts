import { formatUsd } from '../money/money.ts';
import { count, percent } from './format-figures.ts';
import type { ReportLine } from './report.ts';
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
