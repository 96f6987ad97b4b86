import { formatUsd } from '../money/money.ts';
import type { FoundQuota } from './ledger.ts';

const WORDS = {
  requestsPerMinute: 'requests',
  tokensPerMinute: 'tokens',
  inputTokensPerMinute: 'input tokens',
  outputTokensPerMinute: 'output tokens',
} as const;

/** One sentence for people on what was found out about a pool; empty where nothing is worth telling. */
export function describeQuota(
  { told, found, foundAt, silentUntil, overruns, blipShare }: FoundQuota,
  now: number,
): string {
  const limits = (named: FoundQuota['told']) =>
    Object.entries(WORDS)
      .flatMap(([name, word]) => {
        const limit = named[name as keyof typeof WORDS];
        return limit === undefined ? [] : [`${limit.toLocaleString('en')} ${word}`];
      })
      .join(', ');
  const parts: string[] = [];
  if (limits(told) !== '') parts.push(`the provider's headers tell ${limits(told)} per minute`);
  if (limits(found) !== '') {
    const since = foundAt === undefined ? '' : ` (since ${new Date(foundAt).toISOString()})`;
    parts.push(
      `found by trying: about ${limits(found)} per minute${since}; state the account's limits in the config where you know them`,
    );
  }
  if (blipShare !== undefined) {
    const percent = (blipShare * 100).toFixed(1);
    parts.push(`about ${percent} % of calls are refused whatever their rate, so such refusals slow nothing down`);
  }
  if (silentUntil !== undefined && silentUntil > now) {
    parts.push(
      `silent until ${new Date(silentUntil).toISOString()}, because the provider asked for it or refused most calls`,
    );
  }
  for (const [model, beyond] of Object.entries(overruns)) {
    parts.push(
      `the model ${model} bills beyond its output cap, up to ${formatUsd(beyond)} a call, which is held on top: give it room for thinking with reasoning: { tokens: N }`,
    );
  }
  return parts.join('; ');
}
