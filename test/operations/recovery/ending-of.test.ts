import { expect, test } from 'vitest';
import { endingOf } from '../../../src/operations/recovery/recover.ts';

const NONE = { succeeded: 3, failed: 1, cancelled: 0, expired: 0, skipped: 0 };

test('a batch with rows of documents that were given up goes on as one that is given up, also where no checkpoint says so', () => {
  expect(endingOf(NONE)).toEqual({});
  expect(endingOf({ ...NONE, cancelled: 2 })).toEqual({ ending: 'cancelled' });
  expect(endingOf({ ...NONE, expired: 1 })).toEqual({ ending: 'expired' });
});
