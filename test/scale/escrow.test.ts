import fc from 'fast-check';
import { expect, test } from 'vitest';
import { playEscrow } from './escrow-model.ts';

test('ledgers that spend parts of one limit never spend more than all of it, whenever they die', () => {
  fc.assert(
    fc.property(
      fc.record({
        ledgers: fc.integer({ min: 1, max: 16 }),
        limit: fc.integer({ min: 1, max: 200_000 }),
        mostHold: fc.integer({ min: 1, max: 2_000 }),
        deaths: fc.double({ min: 0, max: 0.2, noNaN: true }),
        lastStayDead: fc.boolean(),
        seed: fc.nat(),
      }),
      (scene) => {
        expect(playEscrow(scene).overshoot).toBe(0);
      },
    ),
    { numRuns: 300 },
  );
});

test.each([2, 4, 8, 16])('%i ledgers that come back use a limit of ten thousand calls to 99 %%', (ledgers) => {
  const { used, trips, calls } = playEscrow({
    ledgers,
    limit: 10_000_000,
    mostHold: 2_000,
    deaths: 0.001,
    lastStayDead: false,
    seed: 7,
  });
  expect(used).toBeGreaterThan(0.99);
  expect(trips).toBeLessThan(calls / 20);
});
