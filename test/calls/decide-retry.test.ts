import { describe, expect, test } from 'vitest';
import { decideRetry } from '../../src/calls/decide-retry.ts';
import {
  FAILURE_RULES,
  ModelCallError,
  type ModelCallErrorDetails,
  type ModelFailureClass,
} from '../../src/providers/failure.ts';

const NOW = 1_790_000_000_000;

function decide(
  failure: ModelFailureClass,
  at: { attempt?: number; waits?: number; isOutOfPatience?: boolean } & Partial<ModelCallErrorDetails> = {},
) {
  const { attempt = 1, waits = 0, isOutOfPatience = false, ...details } = at;
  const error = new ModelCallError('what happened', { failure, billing: 'none', ...details });
  return decideRetry(error, 'acme', { attempt, waits, maxAttempts: 5 }, { now: NOW, random: () => 1, isOutOfPatience });
}

const failureOf = (failure: ModelFailureClass, details: Partial<ModelCallErrorDetails>) =>
  new ModelCallError('what happened', { failure, billing: 'none', ...details });

const hold = (more: object) => ({
  kind: 'stop',
  reason: {
    kind: 'provider',
    provider: 'acme',
    hold: { cause: 'provider', reason: 'what happened', since: NOW, ...more },
  },
});

/** What each class means for its first failure, line by line. */
const FIRST: Readonly<Record<ModelFailureClass, unknown>> = {
  rate_limited: { kind: 'retry', delayMs: 250 * 1.25, counts: 'wait' },
  server_error: { kind: 'retry', delayMs: 250, counts: 'attempt' },
  timeout: { kind: 'retry', delayMs: 250, counts: 'attempt' },
  unreachable: { kind: 'retry', delayMs: 250, counts: 'attempt' },
  connection_lost: { kind: 'retry', delayMs: 250, counts: 'attempt' },
  invalid_reply: { kind: 'retry', delayMs: 250, counts: 'attempt' },
  authentication: hold({ retry: false, ofWorker: true }),
  out_of_credit: hold({ retry: false }),
  context_overflow: { kind: 'fail' },
  bad_request: { kind: 'fail' },
  refused_content: { kind: 'fail' },
  aborted: { kind: 'stop', reason: { kind: 'shutdown' } },
};

describe('decideRetry()', () => {
  test.each(Object.keys(FAILURE_RULES) as ModelFailureClass[])('%s, the first time', (failure) => {
    expect(decide(failure)).toEqual(FIRST[failure]);
  });

  test('a passing trouble ends after the allowed tries; being out of reach is not counted', () => {
    for (const failure of ['server_error', 'timeout', 'connection_lost', 'invalid_reply'] as const) {
      expect(decide(failure, { attempt: 4 })).toMatchObject({ kind: 'retry', delayMs: 2_000 });
      expect(decide(failure, { attempt: 5 })).toEqual({ kind: 'fail' });
    }
    expect(decide('unreachable', { attempt: 50 })).toMatchObject({ kind: 'retry', delayMs: 10_000 });
  });

  test('when patience is over the slice stops, and its workflow is tried again later', () => {
    expect(decide('unreachable', { isOutOfPatience: true })).toEqual(hold({ retry: true }));
    expect(decide('rate_limited', { isOutOfPatience: true })).toMatchObject({ kind: 'retry' });
  });

  test('a wait that the provider asks for is kept, whatever the class', () => {
    expect(decide('rate_limited', { retryAfterMs: 4_000 })).toMatchObject({ delayMs: 5_000 });
    expect(decide('server_error', { retryAfterMs: 4_000 })).toMatchObject({ delayMs: 4_000 });
    expect(decide('server_error', { retryAfterMs: 1 })).toMatchObject({ delayMs: 250 });
  });

  test('a wait of more than a minute gives the slice back until it is over', () => {
    const until = new Date(NOW + 60_001).toISOString();
    expect(decide('rate_limited', { retryAfterMs: 60_001 })).toMatchObject({
      kind: 'stop',
      reason: { hold: { retry: true, retryAt: NOW + 60_001, reason: expect.stringContaining(until) } },
    });
  });

  test('a provider that asks to wait again and again stops the slice some time', () => {
    expect(decide('rate_limited', { waits: 199 })).toMatchObject({ kind: 'retry' });
    expect(decide('rate_limited', { waits: 200 })).toEqual(hold({ retry: true }));
  });

  test('a wrong model name or URL (404) needs a person, whatever the class', () => {
    expect(decide('bad_request', { status: 404 })).toMatchObject({
      kind: 'stop',
      reason: { kind: 'provider', hold: { retry: false, ofBatch: true, reason: expect.stringContaining('--id') } },
    });
  });

  test('a model that is withdrawn in mid-batch (400) pauses its batch, as 410 does', () => {
    expect(decide('bad_request', { status: 400, refusesModel: true })).toMatchObject({
      kind: 'stop',
      reason: { kind: 'provider', hold: { retry: false, ofBatch: true } },
    });
  });

  const refusal = (attempt: number, refusedInARow: number, everWorked: boolean, status = 401) =>
    decideRetry(
      failureOf('authentication', { status }),
      'acme',
      { attempt, waits: 0, maxAttempts: 5 },
      { now: NOW, random: () => 1, isOutOfPatience: false, access: { refusedInARow, everWorked } },
    );

  test('one refused key among calls that succeed is asked again, and then its document alone fails', () => {
    expect(refusal(1, 1, true)).toMatchObject({ kind: 'retry' });
    expect(refusal(2, 1, true, 403)).toMatchObject({ kind: 'retry' });
    expect(refusal(3, 1, true, 403)).toEqual({ kind: 'fail', code: 'refused_content' });
  });

  test.each([405, 406, 418, 451, 302, 307])('a firewall that answers %i to one text refuses that text', (status) => {
    const blocked = (attempt: number, everWorked: boolean) =>
      decideRetry(
        failureOf('bad_request', { status }),
        'acme',
        { attempt, waits: 0, maxAttempts: 5 },
        { now: NOW, random: () => 1, isOutOfPatience: false, access: { refusedInARow: 1, everWorked } },
      );
    expect(blocked(1, true)).toMatchObject({ kind: 'retry' });
    expect(blocked(3, true)).toEqual({ kind: 'fail', code: 'refused_content' });
    expect(blocked(3, false)).toMatchObject({ kind: 'stop', reason: { hold: { ofBatch: true } } });
  });

  test.each([400, 422, 307, 501])('%i to each of the first calls needs a person', (status) => {
    const context = { now: NOW, random: () => 1, isOutOfPatience: false };
    const access = { refusedInARow: 3, everWorked: false };
    const tries = { attempt: 1, waits: 0, maxAttempts: 5 };
    const refused = failureOf('bad_request', { status });
    expect(decideRetry(refused, 'acme', tries, { ...context, access })).toMatchObject({ kind: 'stop' });
  });

  test('a key that is refused for document after document needs a person', () => {
    expect(refusal(1, 3, false)).toMatchObject({ kind: 'stop' });
    expect(refusal(3, 1, false)).toMatchObject({ kind: 'stop' });
    expect(refusal(1, 5, true)).toMatchObject({ kind: 'retry' });
    expect(refusal(1, 6, true)).toMatchObject({ kind: 'stop' });
  });

  test('while a server is unavailable its patience decides, not a count of tries', () => {
    const unavailable = (othersSucceed: boolean, isOutOfPatience = false) =>
      decideRetry(
        failureOf('server_error', { status: 503 }),
        'acme',
        { attempt: 9, waits: 0, maxAttempts: 5 },
        { now: NOW, random: () => 1, isOutOfPatience, othersSucceed },
      );
    expect(unavailable(false)).toMatchObject({ kind: 'retry' });
    expect(unavailable(true)).toEqual({ kind: 'fail' });
    expect(unavailable(false, true)).toMatchObject({ kind: 'stop' });
  });
});
