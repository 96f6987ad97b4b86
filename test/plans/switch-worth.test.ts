import { describe, expect, it } from 'vitest';
import { usdToNano } from '../../src/money/money.ts';
import { selfHosting, selfHostingSteps } from '../../src/plans/self-hosting.ts';
import { readVolume, scaleCost, switchWorth } from '../../src/plans/switch-worth.ts';

describe('selfHosting()', () => {
  const load = { requests: 1_000_000, tokensPerRequest: 2_000, apiCost: usdToNano(12_500) };
  const a100 = { usdPerMonth: usdToNano(1_460), tokensPerSecond: 500, hoursPerDay: 24 };

  it('needs whole GPUs: 1.54 are 2, at $2,920 against $12,500', () => {
    const result = selfHosting(load, a100);
    expect(result.gpusExact).toBeCloseTo(1.543, 3);
    expect(result).toMatchObject({
      tokensPerMonth: 2_000_000_000,
      tokensPerGpu: 1_296_000_000,
      gpus: 2,
      gpuCost: usdToNano(2_920),
      saved: usdToNano(9_580),
      paysFrom: { requests: 116_800, gpus: 1 },
    });
  });

  it('says each step', () => {
    expect(selfHostingSteps(load, a100, 'requests')).toEqual([
      'tokens     1,000,000 requests × 2,000 tokens = 2,000,000,000 a month',
      'provider   2,000 million tokens × $6.25 = $12500.00 a month',
      'one GPU    500 tokens/s × 3,600 s × 24 h × 30 days = 1,296,000,000 tokens per month',
      'GPUs       2,000,000,000 / 1,296,000,000 = 1.54, so 2',
      'own        2 × $1460.00 = $2920.00 a month',
      'difference $12500.00 - $2920.00 = $9580.00 a month less with own GPUs',
      'pays       from $1460.00 / $6.25 a million = 233,600,000 tokens = 116,800 requests per month on, with one GPU; not counted: people, power and idle nights',
    ]);
  });

  it('never pays where even a full GPU costs more a token, and says so', () => {
    const cheap = { ...load, apiCost: usdToNano(2_000) };
    expect(selfHosting(cheap, a100)).toMatchObject({ saved: -usdToNano(920), paysFrom: undefined });
    expect(selfHostingSteps(cheap, a100, 'requests').at(-1)).toBe(
      'pays       at no volume: a full GPU costs $1.13 a million tokens, the provider $1.00',
    );
    expect(selfHosting({ ...load, apiCost: 0 }, a100).paysFrom).toBeUndefined();
  });

  it('has fewer tokens of a GPU that works only at night', () => {
    expect(selfHosting(load, { ...a100, hoursPerDay: 8 }).gpus).toBe(5);
  });
});

describe('switchWorth()', () => {
  const now = { documents: 500, cost: usdToNano(1) };
  const then = { documents: 250, cost: usdToNano(0.05) };
  const costs = { volume: 1_200_000, evaluation: usdToNano(1.05), work: usdToNano(1_440) };

  it('reckons savings, costs paid once, and the months until they are paid', () => {
    const worth = switchWorth(now, then, costs);
    expect(worth).toMatchObject({
      monthlyNow: usdToNano(2_400),
      monthlyThen: usdToNano(240),
      savedPerMonth: usdToNano(2_160),
      once: usdToNano(1_441.05),
      after: [
        { months: 6, left: usdToNano(11_518.95) },
        { months: 12, left: usdToNano(24_478.95) },
      ],
    });
    expect(worth.monthsUntilPaid).toBeCloseTo(0.667, 3);
  });

  it('never pays where nothing is saved', () => {
    expect(switchWorth(then, now, costs)).toMatchObject({
      savedPerMonth: -usdToNano(2_160),
      monthsUntilPaid: undefined,
    });
  });

  it('keeps large amounts exact, and refuses what no amount can be', () => {
    expect(scaleCost({ documents: 3, cost: 1 }, 1)).toBe(0);
    expect(scaleCost({ documents: 3, cost: 2 }, 1)).toBe(1);
    expect(scaleCost({ documents: 1, cost: usdToNano(8) }, 1_000_001)).toBe(usdToNano(8_000_008));
    expect(() => scaleCost({ documents: 1, cost: usdToNano(10) }, 1_000_000)).toThrow('more than $9,000,000');
  });
});

describe('readVolume()', () => {
  it.each([
    ['40000/day', 1_200_000],
    ['40,000/night', 1_200_000],
    ['1000000/month', 1_000_000],
    ['40000', undefined],
    ['0/day', undefined],
    ['-3/day', undefined],
  ])('%s is %s a month', (text, volume) => {
    expect(readVolume(text)).toBe(volume);
  });
});
