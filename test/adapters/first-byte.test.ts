import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { afterEach, expect, test, vi } from 'vitest';
import { exchangeHttp } from '../../src/adapters/provider-http/http-exchange.ts';
import { ServerLine } from '../../src/adapters/provider-http/server-line.ts';
import { COMPLETION, call, open, servers } from './openai-fixture.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const REQUEST = {
  origin: 'http://server',
  path: '/',
  headers: {},
  body: '{}',
  timeoutMs: 1_000,
  maxBodyBytes: 1_000,
  reusesConnection: true,
};

test('the first byte is timed from the connection on, and of the answer, not of what the server says before it', async () => {
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const at = (milliseconds: number, happens: () => void) => {
    now = milliseconds;
    happens();
  };
  const dispatcher = {
    dispatch: (_options: unknown, handler: Required<Dispatcher.DispatchHandler>) => {
      const controller = { abort: () => {} } as unknown as Dispatcher.DispatchController;
      at(100, () => handler.onRequestStart(controller, {}));
      at(130, () => handler.onResponseStarted());
      at(150, () => handler.onResponseStarted());
      at(151, () => handler.onResponseStart(controller, 200, {}));
      at(190, () => handler.onResponseEnd(controller, {}));
      return true;
    },
  } as unknown as Dispatcher;
  const line = new ServerLine(() => now);
  const exchange = await exchangeHttp(dispatcher, line, REQUEST, new AbortController().signal);
  expect(exchange).toMatchObject({ kind: 'response', status: 200, firstByteMs: 50 });
});

test('call() tells the first byte of the headers and the last one of the body apart', async () => {
  const GAP_MS = 40;
  const origin = await servers.http(async (_request, response) => {
    await wait(GAP_MS);
    response.writeEarlyHints({ link: '</style.css>; rel=preload' });
    await wait(GAP_MS);
    response.writeHead(200, { 'content-type': 'application/json' });
    const seen = headersSeen();
    response.flushHeaders();
    await seen;
    await wait(GAP_MS);
    response.end(JSON.stringify(COMPLETION));
  });
  const { durationMs, firstByteMs = 0 } = await call(open(`${origin}/v1`));
  expect(firstByteMs).toBeGreaterThan(2 * GAP_MS - 5);
  expect(durationMs - firstByteMs).toBeGreaterThan(GAP_MS - 5);
});

/** When the client in this process has read the headers of a success. */
async function headersSeen(): Promise<void> {
  const seen = new EventTarget();
  const listener = (message: unknown) => {
    if ((message as { response: { statusCode: number } }).response.statusCode === 200)
      seen.dispatchEvent(new Event('seen'));
  };
  subscribe('undici:request:headers', listener);
  await once(seen, 'seen');
  unsubscribe('undici:request:headers', listener);
}
