import { expect, it } from 'vitest';
import { alarmsOf } from '../../src/page/alarms.ts';

const AT = '2026-03-01T04:12:00.000Z';
const audit = { samples: 50, errors: 7, alarmAt: AT };
const candidate = { mode: 'shadow' as const, documents: 40, better: 3, worse: 9, stoppedAt: AT };

it('each workflow tells once of a drift and of a candidate that was stopped, by its newest batch', () => {
  const found = alarmsOf([
    { id: 'b', workflow: 'triage', evidence: { audit, candidate } },
    { id: 'a', workflow: 'triage', evidence: { audit } },
    { id: 'c', workflow: 'other', evidence: { audit: { ...audit, alarmAt: null } } },
    { id: 'd', workflow: 'plain' },
  ]);
  expect(found.map(({ workflow, batch, at }) => [workflow, batch, at])).toEqual([
    ['triage', 'b', AT],
    ['triage', 'b', AT],
  ]);
  expect(found[0]?.text).toContain('Calibrate it again');
  expect(found[1]?.text).toContain('candidate');
  expect(
    alarmsOf([
      { id: 'b', workflow: 'triage' },
      { id: 'a', workflow: 'triage', evidence: { audit } },
    ]),
  ).toEqual([]);
});
