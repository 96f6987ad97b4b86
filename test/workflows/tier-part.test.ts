import { expect, it } from 'vitest';
import { partOfTier, type RoutedTiers } from '../../src/workflows/workflow.ts';

const cascade = [{}, {}] as unknown as RoutedTiers['cascade'];
const candidate = { cascade: [{}] } as unknown as NonNullable<RoutedTiers['candidate']>;

it('a tier after the cascade is of the candidate, or says where documents begin', () => {
  const parts = (tiers: RoutedTiers) => [0, 1, 2, 3].map((tier) => partOfTier(tiers, tier));
  expect(parts({ cascade, candidate })).toEqual(['cascade', 'cascade', 'candidate', 'route']);
  expect(parts({ cascade })).toEqual(['cascade', 'cascade', 'route', 'route']);
});
