import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createRawServer, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { failureOf } from '../contract/model-client-fixture.ts';
import { sendJson } from '../helpers/provider-server.ts';
import { answering, COMPLETION, call, open, openAgainst, openAgainstRaw, servers } from './openai-fixture.ts';

describe('connections', () => {
  test('call() opens no more connections than allowed and waits for one', async () => {
    let connections = 0;
    const server = createServer((_request, response) => setImmediate().then(() => sendJson(response, COMPLETION)));
    server.on('connection', () => {
      connections += 1;
    });
    const client = open(`${await servers.listen(server)}/v1`, { maxConnections: 3 });
    await Promise.all(Array.from({ length: 20 }, () => call(client)));
    expect(connections).toBe(3);
  });

  test('call() says who, where and why when nobody listens', async () => {
    const error = await failureOf(call(open(`${await servers.deadOrigin()}/v1`)));
    expect(error).toMatchObject({ failure: 'unreachable', billing: 'none', status: undefined });
    expect(error.message).toMatch(
      /^Cannot reach provider acme at http:\/\/127.+: ECONNREFUSED: .+ that the server is running/,
    );
  });

  test('call() points to DNS for an unknown host', async () => {
    const error = await failureOf(call(open('http://nothing.invalid/v1')));
    expect(error).toMatchObject({ failure: 'unreachable', billing: 'none' });
    expect(error.message).toMatch(/(?:ENOTFOUND|EAI_AGAIN).+DNS/);
  });

  test('call() points to http or https when TLS fails', async () => {
    const origin = await servers.answering(COMPLETION);
    const error = await failureOf(call(open(`${origin.replace('http:', 'https:')}/v1`)));
    expect(error).toMatchObject({ failure: 'unreachable', billing: 'none' });
    expect(error.message).toContain('Check http or https');
  });

  test('call() gives up on a connection that does not open', async () => {
    // Accepts TCP but never answers the TLS handshake.
    const origin = await servers.listen(createRawServer());
    const client = open(`${origin.replace('http:', 'https:')}/v1`, { connectTimeoutMs: 100 });
    const error = await failureOf(call(client));
    expect(error).toMatchObject({ failure: 'unreachable', billing: 'none' });
    expect(error.message).toMatch(/UND_ERR_CONNECT_TIMEOUT.+timeout: 100ms/);
  });

  test.each([
    ['closed before headers', (socket: Socket) => socket.end()],
    ['reset before headers', (socket: Socket) => socket.resetAndDestroy()],
    [
      'reset in the body',
      (socket: Socket) =>
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"choices', () => socket.resetAndDestroy()),
    ],
    ['closed in the body', (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"choices')],
    [
      'closed in a chunk',
      (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\n{"ch'),
    ],
  ] as const)('call() does not know the bill of a connection %s, and sends nothing twice', async (_name, onRequest) => {
    let requests = 0;
    const client = await openAgainstRaw((socket) => {
      requests += 1;
      onRequest(socket);
    });
    const error = await failureOf(call(client));
    expect(error).toMatchObject({ failure: 'connection_lost', billing: 'unknown' });
    expect(error.message).toContain('broke after the request was sent');
    expect(requests).toBe(1);
  });

  test('call() works again after the connection broke', async () => {
    let requests = 0;
    const client = await openAgainst((request, response) => {
      requests += 1;
      if (requests === 1) request.socket.resetAndDestroy();
      else sendJson(response, COMPLETION);
    });
    await failureOf(call(client));
    expect((await call(client)).text).toBe('Hello');
  });
});

describe('timeouts', () => {
  test.each([
    ['headers', () => {}],
    [
      'the end of the body',
      (_request: IncomingMessage, response: ServerResponse) => {
        response.write('{"choices"');
      },
    ],
  ])('call() waits for %s only so long, and closes the connection', async (_name, listener) => {
    const closed = Promise.withResolvers<void>();
    const client = await openAgainst(
      (request, response) => {
        request.socket.on('close', closed.resolve);
        listener(request, response);
      },
      { timeoutMs: 300 },
    );
    const error = await failureOf(call(client));
    expect(error).toMatchObject({ failure: 'timeout', billing: 'unknown' });
    expect(error.message).toContain('within 300 ms');
    await closed.promise;
  });

  test('call() bills nothing for a timeout while it waits for a connection, and never sends it', async () => {
    // Accepts TCP but never answers the TLS handshake, so the only connection never opens: neither for the call that
    // opens it nor for the one behind that.
    const origin = await servers.listen(createRawServer());
    const client = open(`${origin.replace('http:', 'https:')}/v1`, { maxConnections: 1, timeoutMs: 60 });
    for (const failure of await Promise.all([failureOf(call(client)), failureOf(call(client))])) {
      expect(failure).toMatchObject({ failure: 'timeout', billing: 'none' });
      expect(failure.message).toContain('within 60 ms; nothing was sent');
    }
  });
});

describe('abort', () => {
  test('call() aborted after it was sent may be billed, and closes the connection', async () => {
    const arrived = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<void>();
    const client = await openAgainst((request) => {
      request.socket.on('close', closed.resolve);
      arrived.resolve();
    });
    const aborter = new AbortController();
    const failure = failureOf(call(client, {}, aborter.signal));
    await arrived.promise;
    aborter.abort();
    expect(await failure).toMatchObject({ failure: 'aborted', billing: 'unknown' });
    await closed.promise;
  });

  test('call() aborted while it waits for a connection is never sent and not billed', async () => {
    let requests = 0;
    const arrived = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    const client = await openAgainst(
      (_request, response) => {
        requests += 1;
        arrived.resolve();
        void answer.promise.then(() => sendJson(response, COMPLETION));
      },
      { maxConnections: 1 },
    );
    const first = call(client);
    await arrived.promise;
    const aborter = new AbortController();
    const second = failureOf(call(client, {}, aborter.signal));
    aborter.abort();
    expect(await second).toMatchObject({ failure: 'aborted', billing: 'none' });
    answer.resolve();
    await first;
    // The connection is free again, and what comes next is the third call.
    await call(client);
    expect(requests).toBe(2);
  });

  test('a client that is closed before its first call makes none', async () => {
    const client = await answering(COMPLETION);
    await client.close();
    expect(await failureOf(call(client))).toMatchObject({ failure: 'aborted', billing: 'none' });
  });

  test('calls leave one listener on a signal that outlives them, however many they are', async () => {
    const client = await answering(COMPLETION);
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...parameters: Parameters<typeof add>) => {
      listeners += 1;
      add(...parameters);
    };
    signal.removeEventListener = (...parameters: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...parameters);
    };
    for (let count = 0; count < 3; count += 1) await call(client, {}, signal);
    expect(listeners).toBe(1);
  });
});
