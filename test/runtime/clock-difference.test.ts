import { expect, test } from 'vitest';
import { ClockReport, describeClock, judgeClock } from '../../src/runtime/clock-difference.ts';

test.each([
  [0, 'near'],
  [-5_000, 'near'],
  [5_001, 'apart'],
  [-60_000, 'apart'],
  [60_001, 'wrong'],
  [-93_600_000, 'wrong'],
])('%i ms ahead of Redis: %s', (aheadMs, state) => {
  expect(judgeClock(aheadMs)).toBe(state);
});

test('what is said names the difference, its direction and the fix', () => {
  expect(describeClock(0)).toBe("this machine's clock agrees with Redis's");
  expect(describeClock(-7_340)).toMatch(/is 7\.3 s behind Redis's.*NTP/);
  expect(describeClock(-7_340)).not.toContain('no work');
  expect(describeClock(93_600_000)).toMatch(/is 26\.0 h ahead of Redis's.*it takes no work until both agree.*NTP/);
});

test('a change of state is logged once', () => {
  const logged: string[] = [];
  const note = (event: string, fields?: Readonly<Record<string, unknown>>) =>
    logged.push(`${event} ${String(fields?.['aheadSeconds'])}`);
  const report = new ClockReport({ debug: note, info: note, warn: note, error: note });
  for (const aheadMs of [3, 7_000, 7_100, 70_000, 71_000, 7_000, -2, 4]) report.tell(aheadMs);
  expect(logged).toEqual(['clock:differs 7', 'clock:differs 70', 'clock:differs 7', 'clock:agrees -0.002']);
});
