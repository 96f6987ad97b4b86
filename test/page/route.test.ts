import { expect, it } from 'vitest';
import { proposedLimit, stepOf } from '../../src/page/next-step.ts';
import { batchHref, hrefOf, parseRoute } from '../../src/page/route.ts';

it('an address leads back to its view and filters, whatever an id holds', () => {
  const id = 'a/b?c#d %';
  expect(parseRoute(batchHref(id))).toEqual({ path: ['batches', id], query: {} });
  const query = { state: 'paused', tenant: 'a&b' };
  expect(parseRoute(hrefOf(['batches'], { ...query, workflow: '' }))).toEqual({ path: ['batches'], query });
  expect(parseRoute('')).toEqual({ path: [], query: {} });
  expect(parseRoute('#/batches/%')).toEqual({ path: ['batches', '%'], query: {} });
});

it('every cause of a pause has a step, and a limit of a period says that it also ends by itself', () => {
  const batch = { id: 'b', workflow: 'w' };
  const step = (cause: 'budget' | 'provider' | 'store' | 'operator', scope?: string) =>
    stepOf(batch, { of: 'workflow', cause, reason: '', since: '', ...(scope === undefined ? {} : { scope }) });
  expect(step('budget', 'batch:b')).toBe('Raise the limit of batch:b.');
  expect(step('budget', 'global/day')).toMatch(/global\/day.*by itself/);
  expect(step('operator')).toContain('workflow w');
  for (const cause of ['provider', 'store'] as const) expect(step(cause)).toContain('resume');
});

it('the limit that is proposed is round, and over what is spent', () => {
  expect([proposedLimit(null, 0), proposedLimit(5, 1), proposedLimit(0.0003, 0.0002736), proposedLimit(1, 13)]).toEqual(
    [1, 10, 0.0006, 30],
  );
});
