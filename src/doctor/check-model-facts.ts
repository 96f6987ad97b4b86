import { daysSince, PRICE_LIST_DAYS } from '../money/price-table.ts';
import type { Check } from './check.ts';

/** Where the figures of a model come from, as far as a person should know. */
export interface KnownFacts {
  readonly price: 'config' | 'catalogue' | 'family' | 'none';
  readonly window: 'config' | 'catalogue' | 'assumed';
  readonly cap: 'config' | 'catalogue' | 'assumed';
  readonly priceAsOf?: string;
  readonly family?: string;
  readonly withdrawn?: string;
}

/** What is assumed, old or about to end about the models. Pure. */
export function checkModelFacts(
  facts: ReadonlyMap<string, KnownFacts>,
  listAsOf: string,
  now: number,
): readonly Check[] {
  const usesList = [...facts.values()].some(({ priceAsOf }) => priceAsOf !== undefined);
  const age = daysSince(listAsOf, now);
  const list: Check[] =
    !usesList || age < PRICE_LIST_DAYS
      ? []
      : [
          {
            name: 'price list',
            state: 'warning',
            detail: `of ${listAsOf}, ${age} days old: compare with the vendors, and renew it with nightmill prices update FILE`,
          },
        ];
  return [...list, ...[...facts].flatMap(([name, known]) => modelChecks(name, known, now))];
}

function modelChecks(model: string, facts: KnownFacts, now: number): readonly Check[] {
  const name = `model ${model}`;
  const at = `models.${model}`;
  const warnings = [
    ...(facts.window === 'assumed'
      ? [`its window is not known and taken for 32,768 tokens or less: write ${at}.contextTokens`]
      : []),
    ...(facts.cap === 'assumed'
      ? [
          `its output cap is not known and taken for 4,096 tokens or less: write ${at}.maxOutputTokens if it can do more`,
        ]
      : []),
    ...(facts.price === 'none'
      ? [`its price is not known: write ${at}.price, or it is refused where a budget applies`]
      : []),
    ...(facts.price === 'family' ? [`its price is that of its family ${facts.family}, not of this snapshot`] : []),
  ];
  const checks: Check[] = warnings.length === 0 ? [] : [{ name, state: 'warning', detail: warnings.join('; ') }];
  return [...checks, ...withdrawalCheck(name, facts.withdrawn, now)];
}

/** From so long before its end on a model is warned of. */
const WITHDRAWAL_WARNING_DAYS = 120;

function withdrawalCheck(name: string, withdrawn: string | undefined, now: number): readonly Check[] {
  if (withdrawn === undefined) return [];
  const daysLeft = Math.ceil((Date.parse(`${withdrawn}T00:00:00Z`) - now) / 86_400_000);
  if (daysLeft > WITHDRAWAL_WARNING_DAYS) return [];
  if (daysLeft <= 0) {
    return [
      {
        name,
        state: 'failed',
        detail: `its provider took it away on ${withdrawn}: choose another model, nightmill prices lists them`,
      },
    ];
  }
  return [
    {
      name,
      state: 'warning',
      detail: `its provider takes it away on ${withdrawn}, in ${daysLeft} days: choose its successor and compare both before`,
    },
  ];
}
