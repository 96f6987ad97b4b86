import { expect, it } from 'vitest';
import { checkSharedInboxes, resolveSchedule } from '../../src/schedules/resolve-schedule.ts';
import { NIGHTLY } from './helpers.ts';

const { workflow: _, ...raw } = NIGHTLY;
const at = (settings: Partial<typeof raw>, workflow = 'triage') => {
  const problems: string[] = [];
  return { schedule: resolveSchedule(workflow, { ...raw, ...settings }, { folder: '/etc/mill', problems }), problems };
};

it('takes a folder relative to the config file, and a prefix as what is under it', () => {
  expect(at({ input: 'inbox' }).schedule.input).toBe('/etc/mill/inbox');
  expect(at({ input: 'file:///srv/inbox' }).schedule.input).toBe('/srv/inbox');
  expect(at({ input: 's3://bucket/inbox' }).schedule.input).toBe('s3://bucket/inbox/');
  expect(at({ input: 's3://bucket' }).schedule.input).toBe('s3://bucket/');
});

it('names a pattern that never comes, an input without a bucket and a name that makes no batch id', () => {
  expect(at({ cron: '0 0 30 2 *' }).problems).toEqual([
    expect.stringContaining('"0 0 30 2 *": no day is ever like that'),
  ]);
  expect(at({ input: 's3:///inbox' }).problems).toEqual([expect.stringContaining('write s3://bucket/prefix/')]);
  expect(at({}, 'w'.repeat(63)).problems).toEqual([expect.stringContaining('at most 62 letters')]);
});

it('refuses to move files away from another schedule', () => {
  const problems: string[] = [];
  const other = { ...NIGHTLY, workflow: 'digest' };
  checkSharedInboxes([{ ...NIGHTLY, after: 'archive' }, other], problems);
  expect(problems).toEqual([expect.stringContaining('before digest has taken them')]);
  checkSharedInboxes([NIGHTLY, other, { ...other, after: 'archive', input: '/other' }], problems);
  expect(problems).toHaveLength(1);
});
