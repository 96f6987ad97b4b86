import type { PriceDifference } from '../calls/price-watch.ts';
import { batchScope } from '../ledger/scope.ts';
import { formatUsd } from '../money/money.ts';
import type { Alert } from './alerts.ts';

/** What a provider states for its calls is not what the prices in use make of them: a broker's margin, or an old price. */
export function priceAlert({ model, batchId, calls, stated, reckoned }: PriceDifference): Alert {
  const scope = batchScope(batchId);
  const percent = Math.round((Math.abs(stated - reckoned) * 100) / Math.max(1, reckoned));
  return {
    scope: scope.name,
    period: scope.period,
    level: 'price_differs',
    message:
      `model ${model}: its provider states ${formatUsd(stated)} for ${calls} calls, ${percent} % ${stated > reckoned ? 'more' : 'less'} than the ` +
      `${formatUsd(reckoned)} that its price makes. Correct models.${model}.price, or set price: { stated: true } to book what the provider states.`,
    spent: reckoned,
  };
}
