import { expect, test } from 'vitest';
import type { BatchStatus, SpentOfLimit } from '../../src/batches/batch-status.ts';
import { outlookOf } from '../../src/batches/outlook.ts';
import { statusLines } from '../../src/cli/format-status.ts';
import { progressText } from '../../src/cli/progress.ts';
import { usdToNano } from '../../src/money/money.ts';
import { withOutlook } from '../../src/operations/read-status.ts';
import { statusJson } from '../../src/operations/status-json.ts';
import { STATUS } from '../fixtures/batch-status.ts';

function spending(spent: string, limit: string | undefined, scope = 'batch:b-1'): BatchStatus {
  if (limit === undefined) return { ...STATUS, spent: usdToNano(spent) };
  const narrowest: SpentOfLimit = { scope, spent: usdToNano(spent), limit: usdToNano(limit) };
  return { ...STATUS, spent: usdToNano(spent), breaker: { state: 'closed', tightest: narrowest, narrowest } };
}

test('says nothing while nothing tells what a document costs, and nothing of a batch that is done', () => {
  expect(
    outlookOf({ ...STATUS, documents: { ...STATUS.documents, done: 0, succeeded: 0 } }, undefined),
  ).toBeUndefined();
  expect(outlookOf({ ...STATUS, documents: { ...STATUS.documents, done: 10, succeeded: 10 } }, 5)).toBeUndefined();
});

test('what is left costs what was usual, where the documents so far were cheaper', () => {
  expect(outlookOf(spending('0.05', undefined), undefined)).toEqual({ more: usdToNano('0.05') });
  expect(outlookOf(spending('0.05', undefined), usdToNano('0.02'))).toEqual({ more: usdToNano('0.1') });
  expect(outlookOf(spending('0.05', undefined), usdToNano('0.001'))).toEqual({ more: usdToNano('0.05') });
});

test('what documents have cost that are not done makes the others no dearer, and is paid for them already', () => {
  const status = { ...spending('0.06', '0.08'), begun: usdToNano('0.01') };
  expect(outlookOf(status, undefined)).toMatchObject({
    more: usdToNano('0.04'),
    raise: { documentsBefore: 3 },
  });
  expect(outlookOf({ ...spending('0.06', undefined), begun: usdToNano('0.06') }, usdToNano('0.002'))).toEqual({
    more: 0,
  });
});

test('a limit that suffices is not named, and the end is', () => {
  const known = withOutlook(spending('0.05', '0.2'), undefined);
  expect(known.outlook).toEqual({ more: usdToNano('0.05') });
  expect(known).toMatchObject({ etaSeconds: 30, projected: usdToNano('0.1') });
  expect(statusLines(known)).toContain('ends in    about 30 s');
});

test('a limit that comes before the end takes the place of the end, with what it takes to finish', () => {
  const known = withOutlook(spending('0.05', '0.06'), undefined);
  const lines = statusLines(known);
  expect(lines).toContain('stops      at the limit $0.060 of batch:b-1, after about 1 documents more');
  expect(lines).toContain('to finish  about $0.050 more: nightmill budget set batch:b-1 0.11');
  expect(lines).not.toContain('ends in');
  expect(progressText(known)).toContain('limit after 1 more');
  expect(JSON.parse(JSON.stringify(statusJson(known)))).toMatchObject({
    etaSeconds: null,
    projectedUsd: 0.1,
    outlook: { moreUsd: 0.05, raise: { scope: 'batch:b-1', limitUsd: 0.06, toUsd: 0.11, documentsBefore: 1 } },
  });
});

test('a batch that the budget has paused says how much more it takes, of the limit that paused it', () => {
  const pause = {
    cause: 'budget' as const,
    reason: 'The limit $1.00 of workflow:triage/day is reached.',
    since: 0,
    scope: 'workflow:triage/day',
    needed: usdToNano('0.5'),
  };
  const day: SpentOfLimit = { scope: 'workflow:triage/day', spent: usdToNano('0.9'), limit: usdToNano('1') };
  const paused: BatchStatus = {
    ...spending('0.05', '0.06'),
    state: 'paused',
    breaker: {
      state: 'open',
      hold: pause,
      pauses: [{ ...pause, of: 'workflow' }],
      holds: 'workflow',
      tightest: day,
      narrowest: { scope: 'batch:b-1', spent: usdToNano('0.05'), limit: usdToNano('0.06') },
    },
  };
  // The call that was refused may cost 0.50.
  expect(statusLines(withOutlook(paused, undefined))).toContain(
    'to resume  about $0.050 more: nightmill budget set workflow:triage/day 1.4.',
  );
});

test('answers that are not stored yet are counted apart from what succeeded and failed', () => {
  const documents = { ...STATUS.documents, total: 200, done: 100, succeeded: 14, failed: 2 };
  expect(statusLines({ ...STATUS, documents })).toContain(
    '100 of 200 done: 14 succeeded, 2 failed, 84 answered, not yet stored',
  );
});

test('a status names what people have named the batch', () => {
  const named = { ...STATUS, name: 'Friday', tenant: 'bank', labels: { team: 'ops' } };
  expect(statusLines(named)).toMatch(/^b-1 {2}running {2}\(triage\) {2}"Friday" {2}tenant bank {2}team=ops\n/);
});
