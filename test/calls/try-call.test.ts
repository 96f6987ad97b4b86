import { beforeEach, describe, expect, test } from 'vitest';
import { CallOwner } from '../../src/calls/call-owner.ts';
import { StopError } from '../../src/calls/stop.ts';
import { LongWaitError, tryCall } from '../../src/calls/try-call.ts';
import { batchScope } from '../../src/ledger/scope.ts';
import { NO_USAGE } from '../../src/money/usage.ts';
import { ModelCallError, type ModelCallErrorDetails } from '../../src/providers/failure.ts';
import { labelReply, MemoryApp, replyWith, SMALL } from '../helpers/memory/memory-app.ts';

let app: MemoryApp;
let owner: CallOwner;
beforeEach(async () => {
  app = await MemoryApp.open();
  owner = new CallOwner(await app.cluster.claim(await app.cluster.queuedBatch()), new Map());
});

const request = { modelId: 'small-1', messages: [{ role: 'user' as const, content: 'hello' }], maxOutputTokens: 50 };
const call = (key = 'key') => {
  const route = { model: SMALL, request, key };
  return tryCall(app.slices, { owner, document: 3, tier: 1, routes: [route] }, route, app.gate);
};
const failWith = (details: ModelCallErrorDetails) => {
  app.answer = () => {
    throw new ModelCallError('it failed', details);
  };
};
const totals = () => app.ledger.totals(batchScope(owner.claim.batchId));

describe('tryCall()', () => {
  test('a reply is booked, journalled and remembered with its document, tier and cost', async () => {
    const entry = await call();
    expect(entry).toMatchObject({ document: 3, tier: 1, model: 'small', cost: 21_000, durationMs: 5 });
    expect(await totals()).toEqual({ settled: 21_000, uncertain: 0, held: 0 });
    expect(owner.journal.get('key')).toBe(entry);
    expect((await app.ledger.journal(owner.claim.batchId, 0)).get('key')).toEqual(entry);
  });

  test('money is held while the request is under way, for every token that it may use', async () => {
    let held = 0;
    app.answer = async () => {
      held = (await totals()).held;
      return labelReply('bug');
    };
    await call();
    expect(held).toBeGreaterThanOrEqual(50 * 600);
  });

  test('a reply without usage is counted here and says so', async () => {
    const { usage: _, ...reply } = labelReply('bug');
    app.answer = () => reply;
    expect(await call()).toMatchObject({ usageEstimated: true, usage: { outputTokens: expect.any(Number) } });
  });

  test('a reply that another owner has paid for is replayed without a request', async () => {
    const entry = await call();
    const later = new CallOwner(owner.claim, new Map());
    owner = later;
    expect(await call()).toEqual(entry);
    expect(app.requests).toHaveLength(1);
  });

  test.each([
    ['none', { failure: 'server_error', billing: 'none' }, { settled: 0, uncertain: 0 }],
    ['unknown', { failure: 'timeout', billing: 'unknown' }, { settled: 0, uncertain: expect.any(Number) }],
    [
      'billed',
      { failure: 'invalid_reply', billing: 'billed', usage: { ...NO_USAGE, inputTokens: 100, outputTokens: 10 } },
      { settled: 21_000, uncertain: 0 },
    ],
  ] as const)('a failure whose billing is %s is returned, and booked so', async (billing, details, booked) => {
    failWith(details);
    expect(await call()).toMatchObject({ failure: details.failure });
    expect(await totals()).toMatchObject({ ...booked, held: 0 });
    const { uncertain } = await totals();
    expect(uncertain > 0).toBe(billing === 'unknown');
    expect([...owner.journal.keys()]).toEqual(billing === 'billed' ? ['key!call-1'] : []);
  });

  test('an unexpected error is thrown, and the call is booked as uncertain', async () => {
    app.answer = () => {
      throw new TypeError('a bug of ours');
    };
    await expect(call()).rejects.toThrow('a bug of ours');
    expect((await app.ledger.uncertainCalls(owner.claim.batchId)).map(({ reason }) => reason)).toEqual([
      'internal error',
    ]);
  });

  test('a quota that is used up for more than a minute is a wait that the caller decides about', async () => {
    app.ledger.quota = () => ({ why: 'day', waitMs: 3_600_000 });
    const result = await call();
    expect(result).toBeInstanceOf(LongWaitError);
    expect((result as LongWaitError).reason).toMatchObject({
      kind: 'provider',
      hold: { retry: true, retryAt: app.clock.now() + 3_600_000 },
    });
    expect(app.requests).toHaveLength(0);
    expect((await totals()).held).toBe(0);
  });

  test('an owner that was fenced while it asked stops, and what it bought stays booked', async () => {
    app.answer = async () => {
      await app.cluster.claim(owner.claim.batchId);
      return replyWith('late');
    };
    await expect(call()).rejects.toThrow(StopError);
    expect(owner.reason).toEqual({ kind: 'fenced' });
    expect(await totals()).toMatchObject({ settled: 21_000, held: 0 });
  });

  test('a stopped owner asks nothing', async () => {
    owner.stop({ kind: 'paused' });
    await expect(call()).rejects.toThrow(StopError);
    expect(app.requests).toHaveLength(0);
  });
});
