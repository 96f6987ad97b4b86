import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/adapters/system/system-clock.ts';
import { ModelCallError, type ModelFailureClass } from '../../src/providers/failure.ts';
import type { ModelReply } from '../../src/providers/model-client.ts';
import { ProviderGate } from '../../src/providers/provider-gate.ts';
import type { ModelRequest } from '../../src/requests/model-request.ts';

const PATIENCE_MS = 60_000;
const NEVER = new AbortController().signal;
const REQUEST: ModelRequest = { modelId: 'small', messages: [], maxOutputTokens: 1 };
const REPLY: ModelReply = { text: 'well', finish: 'stop', rateLimitHeaders: {}, durationMs: 1 };

const TROUBLE = new ModelCallError('away', { failure: 'server_error', billing: 'none', status: 500 });

let nowMs: number;
let sent: number;
let answer: () => Promise<ModelReply>;
let gate: ProviderGate;

/** The clock of the gate, and the one that its circuit reads. */
function pass(milliseconds: number): void {
  nowMs += milliseconds;
  vi.setSystemTime(Date.now() + milliseconds);
}

function fails(failure: ModelFailureClass): () => Promise<ModelReply> {
  return () => Promise.reject(new ModelCallError(failure, { failure, billing: 'none' }));
}

/** One call with its place, as a trip makes it. */
async function call(): Promise<string> {
  using _place = gate.places.take();
  return await gate.call(REQUEST, NEVER).then(
    ({ text }) => text,
    (error: ModelCallError) => error.failure,
  );
}

async function breakDown(): Promise<void> {
  answer = fails('server_error');
  for (let n = 0; n < 10; n += 1) await call();
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  nowMs = 1_000;
  sent = 0;
  answer = () => Promise.resolve(REPLY);
  gate = new ProviderGate({
    name: 'acme',
    client: {
      call: () => {
        sent += 1;
        return answer();
      },
      close: () => Promise.resolve(),
    },
    concurrency: 4,
    outageToleranceMs: PATIENCE_MS,
    clock: { ...systemClock, now: () => Date.now(), monotonic: () => nowMs },
    hasPromptCache: false,
  });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('ProviderGate in an outage', () => {
  test('ten failures of its own, one after the other, are one; then nothing is sent and one place is left', async () => {
    await breakDown();
    expect(gate.hasOutage).toBe(true);
    expect(gate.places.free).toBe(1);
    expect(await call()).toBe('unreachable');
    expect(sent).toBe(10);
  });

  test.each(['rate_limited', 'authentication', 'bad_request'] as const)(
    '%s is none, however often',
    async (failure) => {
      answer = fails(failure);
      for (let n = 0; n < 25; n += 1) expect(await call()).toBe(failure);
      expect(gate.hasOutage).toBe(false);
      expect(gate.places.free).toBe(4);
    },
  );

  test('one call at a time is told to find out whether it is over', async () => {
    await breakDown();
    expect(gate.turnInMs()).toBe(2_000);
    pass(2_000);
    expect(gate.turnInMs()).toBe(0);
    expect(gate.turnInMs()).toBe(2_000);
    // That one never called, and the next one may.
    pass(2_000);
    expect(gate.turnInMs()).toBe(0);
  });

  test('when the call that finds out succeeds, places come back one by one', async () => {
    await breakDown();
    pass(2_000);
    answer = () => Promise.resolve(REPLY);
    expect(await call()).toBe('well');
    expect(gate.hasOutage).toBe(false);
    expect(gate.turnInMs()).toBe(0);
    expect(gate.places.free).toBe(2);
    await call();
    await call();
    await call();
    expect(gate.places.free).toBe(4);
  });

  test('when it fails, the outage continues', async () => {
    await breakDown();
    pass(2_000);
    expect(await call()).toBe('server_error');
    expect(gate.hasOutage).toBe(true);
    expect(await call()).toBe('unreachable');
    expect(gate.turnInMs()).toBe(2_000);
  });

  test('calls beside one that finds out and hangs wait for it, and continue whatever becomes of it', async () => {
    await breakDown();
    pass(2_000);
    let end: (reply: Promise<ModelReply>) => void = () => {};
    answer = () => new Promise((resolve) => (end = resolve));
    const probe = call();
    const beside = call();
    await turn();
    expect(sent).toBe(11);
    end(fails('timeout')());
    expect(await probe).toBe('timeout');
    expect(await beside).toBe('unreachable');
    expect(gate.places.free).toBe(1);
  });

  test('a reply that is an error of the request ends it too, because the provider is there', async () => {
    await breakDown();
    pass(2_000);
    answer = fails('bad_request');
    expect(await call()).toBe('bad_request');
    expect(gate.hasOutage).toBe(false);
  });
});

describe('ProviderGate', () => {
  test('patience counts from the first failure and starts over with every answer', () => {
    gate.answered();
    expect(gate.failed(TROUBLE)).toBe(false);
    pass(PATIENCE_MS - 1);
    expect(gate.failed(TROUBLE)).toBe(false);
    pass(1);
    expect(gate.failed(TROUBLE)).toBe(true);
    gate.answered();
    expect(gate.failed(TROUBLE)).toBe(false);
  });

  test('a server that loads its model is waited for, for minutes', () => {
    const loading = new ModelCallError('Loading model', {
      failure: 'server_error',
      billing: 'none',
      status: 503,
      serverIsStarting: true,
    });
    const notSent = new ModelCallError('not sent', { failure: 'unreachable', billing: 'none' });
    expect(gate.failed(loading)).toBe(false);
    pass(2 * PATIENCE_MS);
    expect(gate.failed(notSent)).toBe(false);
    expect(gate.failed(loading)).toBe(false);
    pass(15 * 60_000);
    expect(gate.failed(loading)).toBe(true);
  });

  test('a call that is cut off while others are answered is congestion: half of the places, no outage', async () => {
    let cutOff: (error: Error) => void = () => {};
    answer = () => new Promise((_, reject) => (cutOff = reject));
    for (let n = 0; n < 12; n += 1) {
      const slow = call();
      await turn();
      pass(100);
      gate.answered();
      cutOff(new ModelCallError('slow', { failure: 'timeout', billing: 'unknown' }));
      expect(await slow).toBe('timeout');
      if (n === 0) expect(gate.places.open).toBe(2);
    }
    expect(gate.hasOutage).toBe(false);
    expect(gate.places.open).toBe(1);
  });

  test('calls that are cut off while none is answered are an outage', async () => {
    answer = fails('timeout');
    for (let n = 0; n < 10; n += 1) await call();
    expect(gate.hasOutage).toBe(true);
  });

  test('a provider that has never answered gets ten seconds', () => {
    expect(gate.failed(TROUBLE)).toBe(false);
    pass(10_000);
    expect(gate.failed(TROUBLE)).toBe(true);
  });

  test('the longest wait that was asked for counts', () => {
    gate.backOff(5_000);
    gate.backOff(100);
    expect(gate.turnInMs()).toBe(5_000);
    pass(5_000);
    expect(gate.turnInMs()).toBe(0);
  });

  test('a provider that needs a person is looked at again after five minutes, or when it answers', () => {
    gate.markUnusable();
    expect(gate.needsOperator).toBe(true);
    gate.answered();
    expect(gate.needsOperator).toBe(false);
    gate.markUnusable();
    pass(300_000);
    expect(gate.needsOperator).toBe(false);
  });
});
