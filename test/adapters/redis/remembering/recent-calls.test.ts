import { expect, test } from 'vitest';
import { type EndedCall, RecentCalls } from '../../../../src/adapters/redis/remembering/recent-calls.ts';
import type { SliceClaim } from '../../../../src/ledger/ledger.ts';
import { entryOf, ticketOf } from '../../../contract/cluster.ts';

const CLAIM: SliceClaim = {
  batchId: 'b',
  workflow: 'triage',
  slice: 3,
  token: '7',
  timezones: { workflow: 'UTC', global: 'UTC' },
};
const LIMITS = { requestsPerMinute: 600 };

function callOf(text: string, claim = CLAIM): EndedCall {
  return { ticket: ticketOf(claim, 100), outcome: { kind: 'reply', entry: entryOf(60, text) } };
}

test('gives back what it was given, with the same claim, scopes and limits', () => {
  const calls = new RecentCalls();
  const first = callOf('a line\nand another, with ünicode and a lone \ud800');
  const withQuota = {
    ticket: { ...first.ticket, quota: { pool: 'acme', limits: LIMITS, inputTokens: 5, outputTokens: 6 } },
    outcome: { kind: 'uncertain', reason: 'timeout' },
  } as const;
  const released = { ...callOf('', { ...CLAIM, slice: 4 }), outcome: { kind: 'released', refused: true } } as const;
  for (const call of [first, withQuota, released]) calls.add(0, call);
  const all = [...calls.since(0)];
  expect(all).toEqual([first, withQuota, released]);
  expect(all[0]?.ticket.claim).toBe(CLAIM);
  expect(all[0]?.ticket.scopes).toBe(first.ticket.scopes);
  expect(all[1]?.ticket.quota?.limits).toBe(LIMITS);
});

test('gives back those that ended since a moment, however many bytes they have', () => {
  const calls = new RecentCalls();
  const long = 'x'.repeat(200_000);
  for (let second = 0; second < 20; second += 1) {
    calls.add(second * 1_000, callOf(`${second} ${long}`));
    calls.forget(second * 1_000 - 5_000);
  }
  const texts = [...calls.since(14_000)].map(({ outcome }) => outcome.kind === 'reply' && outcome.entry.reply.text);
  expect(texts).toEqual([14, 15, 16, 17, 18, 19].map((second) => `${second} ${long}`));
});

test('a call that is larger than what is forgotten at once is kept as well', () => {
  const calls = new RecentCalls();
  const huge = callOf('x'.repeat(1_000_000));
  calls.add(0, callOf('small'));
  calls.add(0, huge);
  expect([...calls.since(0)].at(-1)).toEqual(huge);
});
