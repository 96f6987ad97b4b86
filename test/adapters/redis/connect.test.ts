import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { redactUrl } from '../../../config/redis-target.ts';
import { connectRedis } from '../../../src/adapters/redis/connect.ts';
import { NightmillError } from '../../../src/errors.ts';
import { freePort } from '../../helpers/free-port.ts';
import { type RedisServer, startRedisServer } from '../../helpers/redis-server.ts';

let server: RedisServer;
let port: number;

beforeAll(async () => {
  port = await freePort();
  server = await startRedisServer(['--port', String(port), '--bind', '127.0.0.1', '--requirepass', 'correct horse'], {
    password: 'correct horse',
  });
});
afterAll(() => server?.stop());

async function refusalOf(url: string): Promise<NightmillError> {
  const error = await connectRedis({ url }).then(
    (redis) => redis.disconnect(),
    (reason: unknown) => reason,
  );
  if (!(error instanceof NightmillError)) throw new Error(`Expected a NightmillError, got ${String(error)}`);
  return error;
}

describe('connectRedis()', () => {
  test('connectRedis() opens a connection with an encoded password and a database number', async () => {
    const redis = await connectRedis({ url: `redis://:correct%20horse@127.0.0.1:${port}/3` });
    expect(await redis.ping()).toBe('PONG');
    expect(redis.options.db).toBe(3);
    redis.disconnect();
  });

  test('connectRedis() fails at once where nothing listens and says where it looked', async () => {
    const error = await refusalOf(`redis://127.0.0.1:${await freePort()}`);
    expect(error).toMatchObject({ code: 'redis_unavailable', retryable: true });
    expect(error.message).toMatch(/^Cannot reach Redis at redis:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED/);
    const noSocket = await refusalOf('unix:///nonexistent/redis.sock');
    expect(noSocket.message).toMatch(/unix:\/\/\/nonexistent\/redis\.sock: .*ENOENT/);
  });

  test.each([
    ['a wrong password', (at: number) => `redis://:s3cret%40word@127.0.0.1:${at}`],
    ['no password', (at: number) => `redis://127.0.0.1:${at}`],
    ['a password with an unencoded @', (at: number) => `redis://:s3cret@word@127.0.0.1:${at}`],
    ['a user that is not known', (at: number) => `redis://eve:s3cret@127.0.0.1:${at}`],
  ])('connectRedis() with %s is refused and the message shows no password', async (_, urlAt) => {
    const error = await refusalOf(urlAt(port));
    expect(error.code).toBe('redis_unavailable');
    expect(error.message).toMatch(/WRONGPASS|NOAUTH|password/i);
    expect(error.message).not.toMatch(/s3cret|word@/);
  });

  test('connectRedis() with a URL that cannot be read says how to write it and shows no password', async () => {
    const error = await refusalOf('redis://:s3cret/word@127.0.0.1:6379');
    expect(error).toMatchObject({ code: 'config_invalid', retryable: false });
    expect(error.cause).toBeUndefined();
    expect(error.message).toContain('"/" as %2F');
    expect(error.message).not.toMatch(/s3cret|\/word/);
  });

  test('connectRedis() refuses a server that may evict keys, and takes one without a memory limit', async () => {
    await using evicting = await startRedisServer(['--maxmemory', '64mb', '--maxmemory-policy', 'allkeys-lru']);
    const error = await refusalOf(evicting.url);
    expect(error).toMatchObject({ code: 'redis_unsuitable', retryable: false });
    expect(error.message).toMatch(/maxmemory-policy allkeys-lru.*Set maxmemory-policy to noeviction/);
    await using unlimited = await startRedisServer(['--maxmemory', '0', '--maxmemory-policy', 'allkeys-lru']);
    expect(await (await unlimited.connect()).ping()).toBe('PONG');
    await using strict = await startRedisServer(['--maxmemory', '64mb', '--maxmemory-policy', 'noeviction']);
    expect(await (await strict.connect()).ping()).toBe('PONG');
  });

  test.each(['6.0.16', '5.0.7', '2.8.24'])(
    'connectRedis() refuses version %s and names the oldest that works',
    async (version) => {
      await using old = await startFakeServer(version);
      const error = await refusalOf(`redis://:s3cret@127.0.0.1:${old.port}`);
      expect(error).toMatchObject({ code: 'redis_unsuitable', retryable: false });
      expect(error.message).toContain(`is version ${version}; nightmill needs 6.2 or newer`);
      expect(error.message).not.toContain('s3cret');
    },
  );

  test.each(['6.2.0', '7.4.1', '10.0.0'])('connectRedis() takes version %s', async (version) => {
    await using fake = await startFakeServer(version);
    const redis = await connectRedis({ url: `redis://127.0.0.1:${fake.port}` });
    redis.disconnect();
  });
});

test('redactUrl() hides user and password, whatever they contain', () => {
  expect(redactUrl('redis://user:pass@host:1/2')).toBe('redis://***@host:1/2');
  expect(redactUrl('rediss://:p@ss@host')).toBe('rediss://***@host');
  expect(redactUrl('redis://:p/a@ss@host/1')).toBe('redis://***@host/1');
  expect(redactUrl('redis://host:6379')).toBe('redis://host:6379');
  expect(redactUrl('unix:///run/redis.sock')).toBe('unix:///run/redis.sock');
});

/** Speaks just enough RESP2 to be asked for its version; like servers before 6 it does not know HELLO. */
async function startFakeServer(version: string): Promise<{ port: number } & AsyncDisposable> {
  const sockets = new Set<Socket>();
  const fake: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      for (const [, command = ''] of bytes.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)) {
        socket.write(answer(command.toLowerCase(), version));
      }
    });
  });
  fake.listen(0, '127.0.0.1');
  await once(fake, 'listening');
  const address = fake.address();
  if (address === null || typeof address === 'string') throw new Error('The fake server has no port');
  return {
    port: address.port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      fake.close();
      await once(fake, 'close');
    },
  };
}

function answer(command: string, version: string): string {
  if (command === 'info') {
    const info = `# Server\r\nredis_version:${version}\r\nloading:0\r\nmaxmemory:0\r\n`;
    return `$${info.length}\r\n${info}\r\n`;
  }
  return command === 'auth' || command === 'client' ? '+OK\r\n' : `-ERR unknown command '${command}'\r\n`;
}
