import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { SERVER_LIMITS } from '../../src/http/start-server.ts';
import { revokeKey } from '../../src/operations/api-keys.ts';
import { openTestServer } from '../helpers/http-server.ts';
import { startTcpRedis, type TcpRedis } from '../helpers/tcp-redis.ts';

let redis: TcpRedis;

beforeAll(async () => {
  redis = await startTcpRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

const POST_SUBMIT =
  'POST /api/v1/batches?workflow=triage HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\nContent-Length: 100000\r\n\r\n';

/** A connection that says this, and then nothing by itself. */
async function open(url: string, text: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}

/** A reset is an end as good as any. */
async function closed(socket: Socket): Promise<void> {
  await new Promise((resolve) => socket.resume().once('close', resolve));
}

describe('connections of the server', () => {
  it('are closed, with a line in the log, where a body only drips in', async () => {
    const limits = { ...SERVER_LIMITS, slowMs: 50, leastBytes: 50 };
    await using server = await openTestServer({ redis: redis.url, limits });
    const socket = await open(server.url, POST_SUBMIT);
    const drip = setInterval(() => socket.write(' '), 5);
    await closed(socket);
    clearInterval(drip);
    expect(server.logged).toContainEqual({
      event: 'http:closed',
      fields: expect.objectContaining({ why: 'slow_body', route: '/api/v1/batches', caller: 'this machine' }),
    });
  });

  it('are closed where nothing comes, and not where the answer takes long', async () => {
    const limits = { ...SERVER_LIMITS, idleMs: 400 };
    const { promise: answered, resolve } = Promise.withResolvers<void>();
    await using server = await openTestServer({
      redis: redis.url,
      limits,
      change: (app) => ({
        ...app,
        audit: { ...app.audit, append: (entry) => app.audit.append(entry), list: () => answered.then(() => []) },
      }),
    });
    const waiting = server.call('GET', '/api/v1/audit');
    const silent = await open(server.url, POST_SUBMIT);
    await closed(silent);
    const later = await open(server.url, POST_SUBMIT);
    await closed(later);
    // Twice as long as a silent connection lives.
    resolve();
    expect(await waiting).toMatchObject({ status: 200, body: { entries: [] } });
    const lines = server.logged.filter(({ event }) => event === 'http:closed');
    expect(lines.map(({ fields }) => fields.why)).toEqual(['idle', 'idle']);
  });

  it('are refused where a key, or the server, has as many event streams as there may be', async () => {
    const limits = { ...SERVER_LIMITS, streams: 3, streamsOfOne: 2 };
    await using server = await openTestServer({ redis: redis.url, limits, host: '0.0.0.0' });
    const [anna, ben] = [await server.key('anna'), await server.key('ben')];
    const stream = async (key: string) => {
      const abort = new AbortController();
      const headers = { authorization: `Bearer ${key}` };
      const response = await fetch(`${server.url}/api/v1/events`, { headers, signal: abort.signal });
      // Kept: fetch() closes the connection of a response that nobody holds any more, and then its abort() does nothing.
      return { response, status: response.status, close: () => abort.abort() };
    };
    const open = [await stream(anna), await stream(anna), await stream(anna), await stream(ben), await stream(ben)];
    expect(open.map(({ status }) => status)).toEqual([200, 200, 429, 200, 503]);
    const refused = await server.call('GET', '/api/v1/events', { key: anna });
    expect(refused.body).toMatchObject({ status: 429, detail: expect.stringContaining('anna has 2 event streams') });
    expect(refused.headers.get('content-type')).toBe('application/problem+json');
    expect(refused.headers.get('retry-after')).toBe('30');
    expect(refused.headers.get('connection')).toBe('close');
    const full = server.logged.filter(({ event }) => event === 'http:full');
    expect(full.map(({ fields }) => fields.caller)).toEqual(['anna', 'ben']);
    for (const { close } of open) close();
  });

  it('stay bounded where very many event streams are asked for, and have room again when those are closed', async () => {
    const limits = { ...SERVER_LIMITS, streams: 20, streamsOfOne: 20 };
    await using server = await openTestServer({ redis: redis.url, limits });
    const abort = new AbortController();
    // They are kept: fetch() closes the connection of a response that nobody holds any more.
    const asked = await Promise.all(
      Array.from({ length: 200 }, async () => await fetch(`${server.url}/api/v1/events`, abort)),
    );
    expect(asked.filter(({ status }) => status === 200)).toHaveLength(20);
    expect(asked.filter(({ status }) => status === 429)).toHaveLength(180);
    expect(server.logged.filter(({ event }) => event === 'http:full')).toHaveLength(1);
    abort.abort();
    const again = new AbortController();
    await vi.waitFor(async () => {
      expect((await fetch(`${server.url}/api/v1/events`, again)).status).toBe(200);
    }, 20_000);
    again.abort();
  });

  it('end where the key of an event stream is revoked or expires', async () => {
    const limits = { ...SERVER_LIMITS, heartbeatMs: 20 };
    await using server = await openTestServer({ redis: redis.url, limits, host: '0.0.0.0' });
    const stream = async (key: string) =>
      await fetch(`${server.url}/api/v1/events`, { headers: { authorization: `Bearer ${key}` } });
    const expiring = await stream(await server.key('brief', { expiresAt: server.app.clock.now() + 2_000 }));
    const revoked = await stream(await server.key('gone'));
    await revokeKey(server.app, 'gone');
    expect(await revoked.text()).toMatch(/^retry: 2000/);
    expect(await expiring.text()).toMatch(/: still here/);
  });

  it('end where an event stream cannot be read from Redis', async () => {
    await using server = await openTestServer({
      redis: redis.url,
      change: (app) => ({ ...app, batches: failing(app.batches, 'list') }),
    });
    await expect(server.call('GET', '/api/v1/events')).rejects.toThrow();
    expect(server.logged).toContainEqual(
      expect.objectContaining({ event: 'http:failed', fields: { route: '/api/v1/events', message: 'no answer' } }),
    );
  });
});

function failing<T extends object>(target: T, method: keyof T): T {
  return new Proxy(target, {
    get: (from, name) => {
      if (name === method) return () => Promise.reject(new Error('no answer'));
      const value = Reflect.get(from, name) as unknown;
      return typeof value === 'function' ? value.bind(from) : value;
    },
  });
}
