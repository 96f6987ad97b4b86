import { describe, expect, it } from 'vitest';
import { checkModelFacts, type KnownFacts } from '../../src/doctor/check-model-facts.ts';

const NOW = Date.parse('2026-11-29T12:00:00Z');
const KNOWN: KnownFacts = { price: 'catalogue', window: 'catalogue', cap: 'catalogue', priceAsOf: '2026-09-23' };

function check(facts: KnownFacts, listAsOf = '2026-09-23') {
  return checkModelFacts(new Map([['small', facts]]), listAsOf, NOW);
}

describe('checkModelFacts()', () => {
  it('says nothing of a model of which all is known, and of a list that is young', () => {
    expect(check(KNOWN)).toEqual([]);
  });

  it('says which figures are assumed and what to write', () => {
    const [line] = check({ price: 'none', window: 'assumed', cap: 'assumed' });
    expect(line).toMatchObject({ name: 'model small', state: 'warning' });
    expect(line?.detail).toMatch(/models\.small\.contextTokens.*models\.small\.maxOutputTokens.*models\.small\.price/);
  });

  it('says that a price is that of the family', () => {
    expect(check({ ...KNOWN, price: 'family', family: 'gemini-2.0-flash' })[0]?.detail).toContain('gemini-2.0-flash');
  });

  it('warns of a list of 90 days and more, where a price comes from it', () => {
    expect(check(KNOWN, '2026-08-31')[0]).toMatchObject({ name: 'price list', state: 'warning' });
    expect(check(KNOWN, '2026-09-01')).toEqual([]);
    expect(check({ price: 'config', window: 'config', cap: 'config' }, '2020-01-01')).toEqual([]);
  });

  it.each([
    ['2027-06-01', undefined],
    ['2027-01-14', 'warning'],
    ['2026-11-29', 'failed'],
    ['2026-10-23', 'failed'],
  ])('a model that is withdrawn on %s: %s', (withdrawn, state) => {
    expect(check({ ...KNOWN, withdrawn })[0]?.state).toBe(state);
  });
});
