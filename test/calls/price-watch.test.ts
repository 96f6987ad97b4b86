import { expect, test } from 'vitest';
import { priceAlert } from '../../src/budgets/price-alert.ts';
import { type PriceDifference, PriceWatch } from '../../src/calls/price-watch.ts';

function watch(stated: number, calls: number): readonly PriceDifference[] {
  const told: PriceDifference[] = [];
  const prices = new PriceWatch((difference) => told.push(difference));
  for (let n = 0; n < calls; n += 1) prices.note('small', 'night', { stated, reckoned: 1_000 });
  return told;
}

test('a provider that states 3 % more over 100 calls is told of, with what to do', () => {
  expect(watch(1_030, 99)).toEqual([]);
  const [difference] = watch(1_030, 100);
  expect(difference).toEqual({ model: 'small', batchId: 'night', calls: 100, stated: 103_000, reckoned: 100_000 });
  const alert = priceAlert(difference as PriceDifference);
  expect(alert).toMatchObject({ scope: 'batch:night', level: 'price_differs' });
  expect(alert.message).toContain('3 % more');
  expect(alert.message).toContain('price: { stated: true }');
});

test('2 % are no difference, and less is one as well', () => {
  expect(watch(1_020, 500)).toEqual([]);
  expect(watch(900, 200)).toHaveLength(2);
});
