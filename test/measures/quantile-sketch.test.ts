import { expect, it } from 'vitest';
import { QuantileSketch } from '../../src/measures/quantile-sketch.ts';
import { Random } from '../helpers/random.ts';

const CALLS = 1_000_000;
const SHARES = [0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999];

/** Milliseconds of a call: a lognormal server, a wide spread with a long tail, two servers of very different speed. */
const DISTRIBUTIONS: Readonly<Record<string, (random: () => number) => number>> = {
  lognormal: (random) => 900 * Math.exp(0.6 * normal(random)),
  'Pareto with a long tail': (random) => 120 / (1 - random()) ** (1 / 1.2),
  'two servers': (random) => (random() < 0.7 ? 80 + 40 * random() : 9_000 + 6_000 * random()),
};

it.each(Object.keys(DISTRIBUTIONS))(
  'a sketch of 1,000,000 calls (%s), put together from parts, is within 2 percent',
  (name) => {
    const numbers = new Random(7);
    const random = () => numbers.next();
    const draw = DISTRIBUTIONS[name] as (random: () => number) => number;
    const values = Float64Array.from({ length: CALLS }, () => Math.min(3_000_000, draw(random)));
    const parts = Array.from({ length: 100 }, () => new QuantileSketch());
    for (const [index, value] of values.entries()) parts[index % 97]?.add(value);
    const whole = new QuantileSketch();
    for (const part of parts)
      whole.merge(QuantileSketch.decode(part.count === 0 ? new QuantileSketch().encode() : part.encode()));
    values.sort();
    expect(whole.count).toBe(CALLS);
    for (const share of SHARES) {
      const exact = values[Math.max(0, Math.ceil(share * CALLS) - 1)] as number;
      expect(Math.abs((whole.quantile(share) as number) / exact - 1), `${name} at ${share}`).toBeLessThan(0.0205);
    }
    expect(whole.encode().length).toBeLessThan(1_000);
    expect(QuantileSketch.decode(whole.encodeSteps())).toEqual(QuantileSketch.decode(whole.encode()));
  },
);

it('a sketch of values that lie far apart stays small and keeps the high ones exact', () => {
  const sketch = new QuantileSketch();
  for (let at = 0; at < 100_000; at++) sketch.add(1.0002 ** at);
  expect(sketch.encode().length).toBeLessThan(1_000);
  expect(Math.abs((sketch.quantile(1) as number) / 1.0002 ** 99_999 - 1)).toBeLessThan(0.021);
});

it('of two values the 95th percentile is the larger one, and the middle the smaller one', () => {
  const sketch = new QuantileSketch();
  for (const value of [51, 162]) sketch.add(value);
  expect([sketch.quantile(0.5), sketch.quantile(0.95)].map((ms) => Math.round((ms ?? 0) / 10))).toEqual([5, 16]);
});

it('a sketch of nothing has no quantile, and text that is no sketch is refused', () => {
  expect(new QuantileSketch().quantile(0.5)).toBeUndefined();
  expect(QuantileSketch.decode(new QuantileSketch().encodeSteps()).count).toBe(0);
  for (const text of ['', '~']) expect(() => QuantileSketch.decode(text)).toThrow(RangeError);
});

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
