import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createConnection, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis, type RedisOptions } from 'ioredis';
import { freePort } from '../helpers/free-port.ts';
import { makeTemporaryFolder } from '../helpers/temporary-folder.ts';

export interface Server extends AsyncDisposable {
  readonly port: number;
  readonly folder: string;
  /** A plain connection, for the test itself. */
  readonly redis: Redis;
  kill(): Promise<void>;
}

export interface ServerOptions {
  readonly settings?: readonly string[];
  readonly connection?: RedisOptions;
  /** Runs as a Sentinel of this primary. */
  readonly watches?: { readonly name: string; readonly port: number };
  /** Default: any. */
  readonly port?: number;
}

/** A Redis server or Sentinel of one's own on a TCP port. */
export async function startServer(options: ServerOptions = {}): Promise<Server> {
  const folder = await makeTemporaryFolder('lane');
  const port = options.port ?? (await freePort());
  const base = ['--bind', '127.0.0.1', '--dir', folder.path];
  const args =
    options.watches === undefined
      ? [...base, '--save', '', '--appendonly', 'yes', ...(options.settings ?? ['--port', String(port)])]
      : [await sentinelConfig(folder.path, port, options.watches), '--sentinel', ...base];
  const child: ChildProcess = spawn('redis-server', args, { stdio: 'ignore' });
  const exited = once(child, 'exit');
  const { tls } = options.connection ?? {};
  const redis = new Redis({
    host: '127.0.0.1',
    port,
    retryStrategy: () => 50,
    maxRetriesPerRequest: null,
    ...(tls === undefined ? {} : { tls }),
  });
  redis.on('error', () => {});
  await redis.ping();
  const kill = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  return {
    port,
    folder: folder.path,
    redis,
    kill,
    [Symbol.asyncDispose]: async () => {
      redis.disconnect();
      await kill();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function sentinelConfig(folder: string, port: number, watches: { name: string; port: number }): Promise<string> {
  const file = join(folder, 'sentinel.conf');
  await writeFile(
    file,
    `port ${port}
sentinel monitor ${watches.name} 127.0.0.1 ${watches.port} 1
sentinel down-after-milliseconds ${watches.name} 500
sentinel failover-timeout ${watches.name} 3000
`,
  );
  return file;
}

/** Asks again until it is so; servers tell nobody when they have agreed. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition().catch(() => false))) await delay(50);
}

export async function isReplicaOf(replica: Redis, primary: Redis): Promise<void> {
  await primary.set('lane-probe', String(Math.random()));
  const value = await primary.get('lane-probe');
  await until(async () => (await replica.get('lane-probe')) === value);
}

const SLOTS = 16_384;

/** Three primaries that share the slots. */
export async function startCluster(): Promise<AsyncDisposable & { readonly nodes: readonly Server[] }> {
  const stack = new AsyncDisposableStack();
  const nodes: Server[] = [];
  for (let index = 0; index < 3; index += 1) {
    const port = await freePort();
    const bus = await freePort();
    const settings = ['--port', String(port), '--cluster-enabled', 'yes', '--cluster-port', String(bus)];
    nodes.push(stack.use(await startServer({ port, settings })));
  }
  const buses = await Promise.all(
    nodes.map(async ({ redis }) => Number(((await redis.config('GET', 'cluster-port')) as string[])[1])),
  );
  for (const [index, { redis }] of nodes.entries()) {
    const from = Math.floor((index * SLOTS) / nodes.length);
    const to = Math.floor(((index + 1) * SLOTS) / nodes.length) - 1;
    await redis.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
    await redis.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
  }
  for (const [index, { redis }] of nodes.entries()) {
    for (const [other, { port }] of nodes.entries()) {
      if (other !== index) await redis.call('CLUSTER', 'MEET', '127.0.0.1', port, buses[other] ?? 0);
    }
  }
  for (const { redis } of nodes) {
    await until(async () =>
      /cluster_state:ok.*cluster_known_nodes:3/s.test(String(await redis.call('CLUSTER', 'INFO'))),
    );
  }
  return { nodes, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Moves the slot of a key to another node, key by key, as `redis-cli --cluster reshard` does. Returns how many keys moved. */
export async function moveSlotOf(nodes: readonly Server[], key: string): Promise<number> {
  const [any] = nodes;
  if (any === undefined) throw new Error('No nodes');
  const slot = Number(await any.redis.call('CLUSTER', 'KEYSLOT', key));
  const owner = Math.floor((slot * nodes.length) / SLOTS);
  const from = nodes[owner] ?? any;
  const to = nodes[(owner + 1) % nodes.length] ?? any;
  const [fromId, toId] = await Promise.all(
    [from, to].map(({ redis }) => redis.call('CLUSTER', 'MYID') as Promise<string>),
  );
  await to.redis.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId ?? '');
  await from.redis.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId ?? '');
  let moved = 0;
  for (;;) {
    const keys = (await from.redis.call('CLUSTER', 'GETKEYSINSLOT', slot, 10)) as string[];
    if (keys.length === 0) break;
    await from.redis.call('MIGRATE', '127.0.0.1', to.port, '', 0, 5_000, 'REPLACE', 'KEYS', ...keys);
    moved += keys.length;
  }
  for (const { redis } of [to, from, ...nodes]) await redis.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId ?? '');
  return moved;
}

/** Forwards each new connection to `target.port` and keeps the old ones, as HAProxy and cloud endpoints do. */
export async function startForwarder(target: { port: number }): Promise<AsyncDisposable & { readonly port: number }> {
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

/** An authority, and certificates of it for a server at 127.0.0.1 and for a client, as `NAME.crt` and `NAME.key`. */
export function makeCertificates(folder: string): void {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  openssl('req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=lane authority');
  for (const name of ['server', 'client']) {
    openssl(
      'req',
      '-x509',
      ...newKey,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.crt`,
      '-subj',
      `/CN=${name}`,
      '-addext',
      'subjectAltName=IP:127.0.0.1',
      '-addext',
      'basicConstraints=critical,CA:FALSE',
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
    );
  }
}
