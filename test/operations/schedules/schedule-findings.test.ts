import { describe, expect, it } from 'vitest';
import { scheduleFindings } from '../../../src/operations/schedules/schedule-findings.ts';
import type { ScheduleView } from '../../../src/operations/schedules/schedules.ts';
import { NIGHTLY } from '../../schedules/helpers.ts';

const now = Date.parse('2026-11-29T12:00Z');
const HOUR = 3_600_000;
const healthy: ScheduleView = {
  schedule: NIGHTLY,
  seenUntil: now - HOUR,
  due: [],
  records: [],
  next: [Date.parse('2026-11-30T01:00Z')],
};
const found = (view: Partial<ScheduleView>) =>
  scheduleFindings([{ ...healthy, ...view }], now).map(({ state, detail }) => `${state}: ${detail}`)[0];

describe('scheduleFindings()', () => {
  it.each<[string, Partial<ScheduleView>, RegExp]>([
    ['one that is well', {}, /^ok: next at 2026-11-30T01:00/],
    [
      'one that nobody looks at',
      { seenUntil: now - 24 * HOUR },
      /^warning: its time has passed .*start nightmill worker/,
    ],
    [
      'one that could not run',
      { due: [{ slot: now, how: 'calendar' }], trouble: { at: now, message: 'the inbox is away' } },
      /^warning: could not run .*the inbox is away/,
    ],
    ['one that is paused', { paused: { at: now, by: 'anna' } }, /^warning: paused .*anna.*schedule resume triage/],
    [
      'one that missed a slot today',
      { records: [{ slot: now - HOUR, how: 'calendar', outcome: 'missed', at: now, why: 'it was too late' }] },
      /^warning: missed .*too late.*schedule run triage/,
    ],
  ])('names %s, and the fix', (_, view, said) => {
    expect(found(view)).toMatch(said);
  });

  it('says that nobody has begun the calendar', () => {
    const { seenUntil: _, ...never } = healthy;
    expect(scheduleFindings([never], now)).toMatchObject([{ state: 'warning' }]);
  });
});
