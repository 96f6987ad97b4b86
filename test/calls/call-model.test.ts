import { describe, expect, test } from 'vitest';
import type { Call } from '../../src/calls/call.ts';
import { callModel } from '../../src/calls/call-model.ts';
import { SliceRun } from '../../src/calls/slice-run.ts';
import { CallFailedError } from '../../src/calls/stop.ts';
import { batchScope } from '../../src/ledger/scope.ts';
import type { Spread } from '../../src/workflows/workflow.ts';
import { backup, cluster, DEAD, outage, primary, reasonOf, setUp } from './call-model-fixture.ts';

describe('callModel() with several hosts of one model', () => {
  const spreadBy = (call: Call, by: Spread): Call => ({ ...call, spread: { hosts: call.routes.length, by } });

  test('by quota each host gets the part that its limits allow, and none stands in for another', async () => {
    const limits = new Map([
      ['primary', { requestsPerMinute: 3_000 }],
      ['backup', { requestsPerMinute: 6_000 }],
    ]);
    const { context, call } = await setUp({ limits, concurrency: 64 });
    const calls = Array.from({ length: 60 }, (_, n) => callModel(context, spreadBy(call(`text ${n}`), 'quota')));
    const entries = await Promise.all(calls);
    expect(entries.filter(({ fallback }) => fallback === true)).toEqual([]);
    // A third; quota comes again while they choose, so one more may go there on a slow machine.
    const atPrimary = entries.filter(({ model }) => model === 'small-primary').length;
    expect([20, 21]).toContain(atPrimary);
    expect(backup.calls).toHaveLength(60 - atPrimary);
  });

  test('without limits they share by places, and later calls count', async () => {
    const { context, call } = await setUp({ concurrency: 4 });
    await Promise.all(Array.from({ length: 8 }, (_, n) => callModel(context, spreadBy(call(`text ${n}`), 'quota'))));
    expect([primary.calls.length, backup.calls.length]).toEqual([4, 4]);
  });

  test('the cheapest is asked while it has room, then the other; the hold is at the price of the one that is asked', async () => {
    const limits = new Map([['backup', { requestsPerMinute: 1 }]]);
    const { context, call } = await setUp({ limits });
    const cheapBackup = (text: string): Call => {
      const { routes, ...rest } = spreadBy(call(text), 'cheapest');
      const [dear, cheap = dear] = routes;
      const price = { inputPerMillion: 1_000, cachedInputPerMillion: 1_000, outputPerMillion: 1_000 };
      return { ...rest, routes: [dear, { ...cheap, model: { ...cheap.model, price } }] };
    };
    const entries = [];
    for (const text of ['a', 'b', 'c']) entries.push(await callModel(context, cheapBackup(text)));
    expect(entries.map(({ model }) => model)).toEqual(['small-backup', 'small-primary', 'small-primary']);
    expect(entries[0]?.cost).toBeLessThan(entries[1]?.cost ?? 0);
  });

  test('one that is down is passed over, and what stands in is asked when all of them are', async () => {
    const { context, call } = await setUp({ urls: { primary: DEAD, other: DEAD } });
    const hosts = (text: string) => spreadBy(call(text, ['primary', 'backup']), 'quota');
    const entries = await Promise.all(Array.from({ length: 12 }, (_, n) => callModel(context, hosts(`text ${n}`))));
    expect(entries.map(({ model, fallback }) => [model, fallback])).toEqual(
      entries.map(() => ['small-backup', undefined]),
    );
    const both: Call = { ...call('last', ['primary', 'other', 'backup']), spread: { hosts: 2, by: 'quota' } };
    expect(await callModel(context, both)).toMatchObject({ model: 'small-backup', fallback: true });
  });
});

describe('callModel() with a provider that stands in', () => {
  test('asks only the first one while it is well', async () => {
    const { context, call } = await setUp();
    const entry = await callModel(context, call('a'));
    expect(entry).toMatchObject({ model: 'small-primary', cost: primary.billNano });
    expect(entry.fallback).toBeUndefined();
    expect(backup.calls).toHaveLength(0);
  });

  test('after two failures the call goes to the other one, and nothing stays held', async () => {
    const { context, call, slice, worker } = await setUp();
    primary.answer = outage;
    expect(await callModel(context, call('a'))).toMatchObject({ model: 'small-backup', fallback: true });
    expect(primary.calls).toHaveLength(2);
    expect(await worker.ledger.totals(batchScope(slice.claim.batchId))).toMatchObject({
      held: 0,
      settled: backup.billNano,
    });
  });

  test('during an outage calls no longer go to the broken provider, and they do again when it is well', async () => {
    const { context, call } = await setUp();
    primary.answer = outage;
    await Promise.all(Array.from({ length: 12 }, (_, n) => callModel(context, call(`broken ${n}`))));
    const before = primary.calls.length;
    const entries = await Promise.all(Array.from({ length: 20 }, (_, n) => callModel(context, call(`later ${n}`))));
    expect(entries.every(({ fallback }) => fallback === true)).toBe(true);
    // One may have been sent to find out.
    expect(primary.calls.length - before).toBeLessThanOrEqual(1);
    primary.reset();
    for (let n = 0; primary.count('answered') < 3; n += 1) {
      expect(n).toBeLessThan(300);
      await callModel(context, call(`well ${n}`));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect((await callModel(context, call('back'))).model).toBe('small-primary');
  }, 30_000);

  test('a wrong key or an empty account at one provider stops nothing while the other one answers', async () => {
    const { context, call, slice } = await setUp();
    primary.answer = () => ({ status: 401, error: { message: 'Incorrect API key provided', code: 'invalid_api_key' } });
    for (const text of ['a', 'b', 'c']) expect((await callModel(context, call(text))).fallback).toBe(true);
    expect(primary.calls).toHaveLength(1);
    expect(slice.reason).toBeUndefined();
  });

  test('when both are refused for good, the slice stops and the reason names the last one', async () => {
    const { context, call } = await setUp();
    for (const model of [primary, backup]) {
      model.answer = () => ({ status: 402, error: { message: 'no money', code: 'insufficient_quota' } });
    }
    const reason = await reasonOf(callModel(context, call('a')));
    expect(reason).toMatchObject({ kind: 'provider', provider: 'backup', hold: { retry: false } });
  });

  test('a reply that was bought from the stand-in is used again, also when the first one is well', async () => {
    const { context, call, slice } = await setUp();
    primary.answer = outage;
    const bought = await callModel(context, call('a'));
    primary.reset();
    backup.reset();
    const again = { ...call('a'), owner: new SliceRun(slice.claim, slice.journal) };
    expect(await callModel(context, again)).toEqual(bought);
    expect(primary.calls.length + backup.calls.length).toBe(0);
  });

  test('a long wait that the provider asks for sends the call to the other one, a short one does not', async () => {
    const { context, call } = await setUp();
    const limited = (seconds: string) => () => ({
      status: 429,
      error: { message: 'slow down' },
      headers: { 'retry-after': seconds },
    });
    let refusals = 0;
    primary.answer = () => {
      refusals += 1;
      return refusals === 1 ? limited('0.05')() : { content: '{"summary":"well"}' };
    };
    expect((await callModel(context, call('short'))).fallback).toBeUndefined();
    primary.answer = limited('50');
    expect((await callModel(context, call('long'))).fallback).toBe(true);
  });

  test('a long wait that another worker was told, or a day that is used up, sends the call to the other one too', async () => {
    const limits = new Map([['primary', { requestsPerDay: 1 }]]);
    const { context, call, worker, slice } = await setUp({ limits });
    await worker.ledger.reportQuota('primary', { refused: true, waitMs: 300_000 });
    expect((await callModel(context, call('asked'))).fallback).toBe(true);
    await cluster.redis.hset(cluster.keys.pool('primary'), 'after', 0);
    expect((await callModel(context, call('first of the day'))).fallback).toBeUndefined();
    expect((await callModel(context, call('second of the day'))).fallback).toBe(true);
    expect(slice.reason).toBeUndefined();
    expect(primary.calls).toHaveLength(1);
  });

  test('with nobody else, an unreachable provider stops the slice when patience is over, and is tried again later', async () => {
    const { context, call, slice, worker } = await setUp({ urls: { primary: DEAD } });
    const reason = await reasonOf(callModel(context, call('a', ['primary'])));
    expect(reason).toMatchObject({ kind: 'provider', provider: 'primary', hold: { retry: true } });
    expect((await worker.ledger.totals(batchScope(slice.claim.batchId))).held).toBe(0);
  }, 30_000);

  test('a document that a provider always answers with garbage fails after the allowed tries, each paid or booked', async () => {
    const { context, call, slice, worker } = await setUp();
    await callModel(context, call('well', ['primary']));
    primary.reset();
    for (const model of [primary, backup]) model.answer = () => ({ status: 422, error: { message: 'cannot process' } });
    await expect(callModel(context, call('poison', ['primary']))).rejects.toThrow(CallFailedError);
    expect(primary.calls).toHaveLength(1);
    primary.reset();
    primary.answer = () => ({ status: 500, error: { message: 'internal' } });
    await expect(callModel(context, call('poison', ['primary']))).rejects.toThrow(/500|internal/);
    expect(primary.calls).toHaveLength(5);
    expect((await worker.ledger.totals(batchScope(slice.claim.batchId))).held).toBe(0);
  }, 30_000);
});
