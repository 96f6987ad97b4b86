import { describe, expect, test } from 'vitest';
import { isAudited } from '../../src/slices/audit-sample.ts';

describe('isAudited()', () => {
  test('takes about the share that was asked for, the same documents each time', () => {
    const ids = Array.from({ length: 10_000 }, (_, index) => `doc-${index}`);
    const chosen = ids.filter((id) => isAudited({ name: 'triage', audit: 0.03 }, id));
    expect(chosen.length).toBeGreaterThan(240);
    expect(chosen.length).toBeLessThan(360);
    expect(ids.filter((id) => isAudited({ name: 'triage', audit: 0.03 }, id))).toEqual(chosen);
  });

  test('nothing without a share, everything with 1', () => {
    expect(isAudited({ name: 'triage' }, 'a')).toBe(false);
    expect(isAudited({ name: 'triage', audit: 1 }, 'a')).toBe(true);
  });
});
