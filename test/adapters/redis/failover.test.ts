import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { connectRedis } from '../../../src/adapters/redis/connect.ts';
import { freePort } from '../../helpers/free-port.ts';
import { startRedisServer } from '../../helpers/redis-server.ts';

/** Forwards each new connection to `target.port` and keeps the old ones, as HAProxy and cloud endpoints do. */
async function startForwarder(target: { port: number }) {
  const sockets = new Set<Socket>();
  const server = createServer((incoming) => {
    const outgoing = createConnection(target.port, '127.0.0.1');
    for (const socket of [incoming, outgoing]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        incoming.destroy();
        outgoing.destroy();
      });
    }
    incoming.pipe(outgoing).pipe(incoming);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as { port: number }).port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

test('a planned failover behind a forwarder that leaves connections open is followed', async () => {
  const [first, second] = [await freePort(), await freePort()];
  await using a = await startRedisServer(['--port', String(first)]);
  await using b = await startRedisServer(['--port', String(second)]);
  const [onA, onB] = [await a.connect(), await b.connect()];
  await onB.replicaof('127.0.0.1', String(first));
  const target = { port: first };
  await using forwarder = await startForwarder(target);
  const redis = await connectRedis({ url: `redis://127.0.0.1:${forwarder.port}` });
  try {
    await redis.set('before', '1');
    while ((await onB.get('before')) !== '1') await new Promise((resolve) => setTimeout(resolve, 20));
    await onB.replicaof('NO', 'ONE');
    target.port = second;
    await onA.replicaof('127.0.0.1', String(second));
    await Promise.all([
      redis.set('after', '2'),
      redis.incr('count'),
      redis.eval("return redis.call('INCR', 'lua')", 0),
    ]);
    expect(await onB.mget('before', 'after', 'count', 'lua')).toEqual(['1', '2', '1', '1']);
  } finally {
    redis.disconnect();
  }
});

test('connectRedis() refuses a read-only replica and says what to name instead', async () => {
  const port = await freePort();
  await using primary = await startRedisServer(['--port', String(port)]);
  await using replica = await startRedisServer();
  await (await primary.connect()).set('x', '1');
  await (await replica.connect()).replicaof('127.0.0.1', String(port));
  await expect(connectRedis({ url: replica.url })).rejects.toMatchObject({
    code: 'redis_unsuitable',
    message: expect.stringContaining('read-only replica'),
  });
});

test('connectRedis() refuses a database that the server does not have', async () => {
  const port = await freePort();
  await using server = await startRedisServer(['--port', String(port)]);
  await (await server.connect()).ping();
  await expect(connectRedis({ url: `redis://127.0.0.1:${port}/99` })).rejects.toMatchObject({
    code: 'redis_unsuitable',
    message: expect.stringContaining('has no database 99'),
  });
});
