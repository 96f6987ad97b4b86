import { expect, test } from 'vitest';
import type { StopReason } from '../../src/calls/stop.ts';
import { ClockGuard } from '../../src/worker/clock-guard.ts';

function makeGuard() {
  const seen: string[] = [];
  const clock = { aheadMs: 0 };
  const guard = new ClockGuard({
    clock,
    runs: new Set([{ stop: ({ kind }: StopReason) => seen.push(`stop ${kind}`) > 0 }]),
    workers: { pause: async () => void seen.push('pause'), resume: () => void seen.push('resume') },
    onPermanentFailure: ({ code }) => seen.push(code),
  });
  return { clock, guard, seen };
}

test('more than 60 s apart, either way, a worker takes nothing and hands back what it has, until both clocks agree', async () => {
  const { clock, guard, seen } = makeGuard();
  for (const aheadMs of [0, 59_000, -59_000]) {
    clock.aheadMs = aheadMs;
    await guard.look();
  }
  expect(seen).toEqual([]);
  for (const aheadMs of [61_000, 26 * 3_600_000, -61_000]) {
    clock.aheadMs = aheadMs;
    await guard.look();
  }
  expect(seen.splice(0)).toEqual(['pause', 'stop shutdown', 'clock_wrong']);
  clock.aheadMs = 20;
  await guard.look();
  await guard.look();
  expect(seen).toEqual(['resume']);
});
