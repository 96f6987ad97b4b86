import { beforeEach, describe, expect, test } from 'vitest';
import { admitCall } from '../../src/calls/admit-call.ts';
import { CallOwner } from '../../src/calls/call-owner.ts';
import { StopError } from '../../src/calls/stop.ts';
import { batchScope } from '../../src/ledger/scope.ts';
import { InputRatios } from '../../src/quota/token-ratios.ts';
import type { ModelSpec } from '../../src/workflows/workflow.ts';
import { ticketOf } from '../contract/cluster.ts';
import { MemoryApp, SMALL } from '../helpers/memory/memory-app.ts';

let app: MemoryApp;
let owner: CallOwner;
beforeEach(async () => {
  app = await MemoryApp.open();
  owner = new CallOwner(await app.cluster.claim(await app.cluster.queuedBatch()), new Map());
});

const scope = () => batchScope(owner.claim.batchId);
/** A token costs a nano-dollar, and the output has none: the bound of the input is what is held. */
const NANO_A_TOKEN = { inputPerMillion: 1_000_000, cachedInputPerMillion: 1_000_000, outputPerMillion: 1_000_000 };
const MODEL: ModelSpec = { ...SMALL, price: NANO_A_TOKEN, cacheWrites: 'none' };
const request = { modelId: 'small-1', messages: [], maxOutputTokens: 0 };

function admit(hold: number, likely?: number) {
  const route = { model: MODEL, request, key: 'key' };
  const ratios = new InputRatios();
  ratios.likelyBound = () => likely;
  const context = { ...app.slices, ratios, newId: () => 'call' };
  return admitCall(context, { owner, document: 0, tier: 0, routes: [route] }, route, app.gate, hold);
}

describe('admitCall()', () => {
  test('holds the money and a call slot until the caller lets go', async () => {
    const admitted = await admit(100);
    expect(admitted.kind).toBe('admitted');
    expect((await app.ledger.totals(scope())).held).toBe(100);
    expect(app.gate.places.free).toBe(7);
    if (admitted.kind === 'admitted') admitted.place[Symbol.dispose]();
    expect(app.gate.places.free).toBe(8);
  });

  test('waits while calls in flight may give money back, and takes it when they do', async () => {
    const other = ticketOf(owner.claim, 80);
    await app.ledger.admit(other);
    await app.ledger.setLimit(scope().name, 100);
    app.clock.onSleep = async () => {
      if (app.clock.slept.length === 3) await app.ledger.settle(other, { kind: 'released' });
    };
    expect((await admit(50)).kind).toBe('admitted');
    expect(app.clock.slept).toEqual([20, 30, 45]);
  });

  test('with nothing in flight it asks once for what the call will likely cost, then stops the owner', async () => {
    await app.ledger.setLimit(scope().name, 40);
    expect((await admit(50, 40)).kind).toBe('admitted');
    await app.ledger.settle(ticketOf(owner.claim, 40, { callId: 'call' }), { kind: 'released' });
    await expect(admit(50, 45)).rejects.toThrow(StopError);
    expect(owner.reason).toMatchObject({ kind: 'budget', refusal: { scope: scope().name, limit: 40 }, hold: 45 });
    expect(app.clock.slept).toEqual([]);
  });

  test('a limit smaller than the call is not waited for, whatever is in flight', async () => {
    await app.ledger.admit(ticketOf(owner.claim, 10));
    await app.ledger.setLimit(scope().name, 40);
    await expect(admit(50)).rejects.toThrow(StopError);
    expect(app.clock.slept).toEqual([]);
  });

  test('a stop while it waits for money leaves nothing held and no slot taken', async () => {
    await app.ledger.admit(ticketOf(owner.claim, 80));
    await app.ledger.setLimit(scope().name, 100);
    app.clock.onSleep = () => owner.stop({ kind: 'shutdown' });
    await expect(admit(50)).rejects.toThrow(StopError);
    expect((await app.ledger.totals(scope())).held).toBe(80);
    expect(app.gate.places.free).toBe(8);
  });

  test('a former owner of the slice is fenced', async () => {
    await app.cluster.claim(owner.claim.batchId);
    await expect(admit(50)).rejects.toThrow(StopError);
    expect(owner.reason).toEqual({ kind: 'fenced' });
  });
});
