import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { usdToNano } from '../../src/money/money.ts';
import { freePort } from '../helpers/free-port.ts';
import { HttpModel } from '../helpers/http-model.ts';
import { makeTemporaryFolder } from '../helpers/temporary-folder.ts';
import { configYaml, expectBalanced, makeDocuments, toJsonl, Workspace } from '../helpers/workspace.ts';
import {
  isReplicaOf,
  makeCertificates,
  moveSlotOf,
  type Server,
  startCluster,
  startForwarder,
  startServer,
  until,
} from './servers.ts';

/** Set by `npm run test:cluster`, which sees to the programs that the servers need. */
const lane = test.skipIf(process.env.NIGHTMILL_TEST_CLUSTER === undefined);

const DOCUMENTS = 120;
let model: HttpModel;

beforeAll(async () => {
  model = await HttpModel.start();
});
beforeEach(() => model.reset());
afterAll(() => model[Symbol.asyncDispose]());

/**
 * A batch with two workers; `trouble` happens when a third is answered and calls are in flight. Every document once, and
 * every bill in the books.
 */
async function batchThrough(redis: string, trouble: () => Promise<unknown>): Promise<void> {
  const documents = makeDocuments(DOCUMENTS);
  await using workspace = await Workspace.make({
    'nightmill.yaml': configYaml({ url: model.url, redis, slice: 5, concurrency: 4, worker: 'slices: 2' }),
    'docs.jsonl': toJsonl(documents),
  });
  const doctor = await workspace.run(['doctor', '--json']);
  expect(doctor.stdout + doctor.stderr).toMatch(/"name":"redis","state":"(ok|warning)"/);
  const submitted = await workspace.run(['submit', 'docs.jsonl', '-w', 'triage']);
  expect(submitted, submitted.stderr).toMatchObject({ code: 0 });
  const id = submitted.stdout.trim();
  model.holdAfter(DOCUMENTS / 3);
  const workers = await Promise.all([workspace.startWorker(), workspace.startWorker()]);
  await model.until(() => model.count('waiting') === 8);
  await trouble();
  model.release();
  await workspace.statusWhen(id, ({ state }) => state === 'completed');
  for (const worker of workers) worker.kill('SIGTERM');
  for (const { exited } of workers) expect(await exited).toMatchObject({ code: 0 });
  const results = await workspace.run(['results', id, '-o', 'out']);
  expect(results, results.stderr).toMatchObject({ code: 0 });
  const output = await workspace.readOutput('out');
  expectBalanced(
    output,
    documents.map(({ id: name }) => name),
  );
  expect(output.manifest.documents['succeeded']).toBe(DOCUMENTS);
  expect(usdToNano(output.manifest.costUsd) + usdToNano(output.manifest.uncertainUsd)).toBe(model.billNano);
  const lines = workers.map(({ stderr }) => stderr.split('\n').length);
  console.log(
    `${DOCUMENTS} documents once, $${output.manifest.costUsd} in rows, ledger and manifest, $${output.manifest.uncertainUsd} beside them uncertain, together the bill; lines logged: ${lines.join(', ')}`,
  );
  // A line that repeats is written once a second: nobody's disk fills up.
  expect(Math.max(...lines)).toBeLessThan(400);
}

lane(
  'a Redis Cluster whose slot moves to another node in mid-batch',
  async () => {
    await using cluster = await startCluster();
    const urls = cluster.nodes.map(({ port }) => `redis://127.0.0.1:${port}`);
    await batchThrough(`{ cluster: [${urls.map((url) => JSON.stringify(url)).join(', ')}] }`, async () => {
      console.log(`${await moveSlotOf(cluster.nodes, await anyKey(cluster.nodes))} keys moved`);
    });
  },
  180_000,
);

lane(
  'a node of a cluster given as one server names the fix',
  async () => {
    await using cluster = await startCluster();
    await using workspace = await Workspace.make({
      'nightmill.yaml': configYaml({ url: model.url, redis: `redis://127.0.0.1:${cluster.nodes[0]?.port}` }),
    });
    const { code, stderr } = await workspace.run(['status']);
    expect(code).toBe(1);
    expect(stderr).toContain('Write redis: { cluster: [its URL] }');
    expect(stderr).not.toMatch(/\n\s+at /);
  },
  120_000,
);

lane(
  'a primary that dies and is replaced by a Sentinel',
  async () => {
    await using primary = await startServer();
    await using replica = await startServer();
    await replica.redis.replicaof('127.0.0.1', String(primary.port));
    await isReplicaOf(replica.redis, primary.redis);
    await using sentinel = await startServer({ watches: { name: 'mill', port: primary.port } });
    await until(async () => /slaves=1/.test(await sentinel.redis.info('sentinel')));
    const redis = `{ sentinels: ["redis://127.0.0.1:${sentinel.port}"], name: mill }`;
    await batchThrough(redis, async () => {
      await isReplicaOf(replica.redis, primary.redis);
      await primary.kill();
      // The replica is promoted a moment before the Sentinel names it; until then nobody finds it.
      await until(async () => {
        const named = await sentinel.redis.call('SENTINEL', 'get-master-addr-by-name', 'mill');
        return Array.isArray(named) && named[1] === String(replica.port);
      });
    });
    await using workspace = await Workspace.make({
      'nightmill.yaml': configYaml({ url: model.url, redis: `redis://127.0.0.1:${sentinel.port}` }),
    });
    const { code, stderr } = await workspace.run(['status']);
    expect(code).toBe(1);
    expect(stderr).toContain('Write redis: { sentinels: [its URL], name: … }');
  },
  180_000,
);

lane(
  'a planned failover through a forwarder that leaves connections open',
  async () => {
    await using first = await startServer();
    await using second = await startServer();
    await second.redis.replicaof('127.0.0.1', String(first.port));
    const target = { port: first.port };
    await using forwarder = await startForwarder(target);
    await batchThrough(`redis://127.0.0.1:${forwarder.port}`, async () => {
      await isReplicaOf(second.redis, first.redis);
      await second.redis.replicaof('NO', 'ONE');
      target.port = second.port;
      await first.redis.replicaof('127.0.0.1', String(second.port));
    });
  },
  180_000,
);

/** All keys of the program share one slot, so any of them will do. */
async function anyKey(nodes: readonly Server[]): Promise<string> {
  const keys = await Promise.all(nodes.map(({ redis }) => redis.keys('{test-*}:batches')));
  return keys.flat()[0] ?? '';
}

/** The line of the documentation is the one that is tested. */
function leastRights(): string[] {
  const page = readFileSync(new URL('../../docs/operation.md', import.meta.url), 'utf8');
  const line = /^ACL SETUSER nightmill .*$/m.exec(page)?.[0] ?? '';
  return line.split(/\s+/).slice(3);
}

lane(
  'TLS with client certificates and the least rights',
  async () => {
    await using folder = await makeTemporaryFolder('certificates');
    makeCertificates(folder.path);
    const at = (name: string) => `${folder.path}/${name}`;
    const port = await freePort();
    const tls = {
      ca: readFileSync(at('ca.crt')),
      cert: readFileSync(at('client.crt')),
      key: readFileSync(at('client.key')),
    };
    const files = [
      '--tls-cert-file',
      at('server.crt'),
      '--tls-key-file',
      at('server.key'),
      '--tls-ca-cert-file',
      at('ca.crt'),
    ];
    await using server = await startServer({
      port,
      settings: ['--port', '0', '--tls-port', String(port), ...files],
      connection: { tls },
    });
    const rights = leastRights().map((word) =>
      word.startsWith('>') ? '>s3cret' : word.replace('{nightmill}', '{test-*}'),
    );
    await server.redis.call('ACL', 'SETUSER', 'nightmill', ...rights);
    const withFiles = (names: string) => `{ url: "rediss://nightmill:s3cret@127.0.0.1:${port}", tls: { ${names} } }`;
    const mutual = withFiles(`ca: ${at('ca.crt')}, cert: ${at('client.crt')}, key: ${at('client.key')}`);
    await batchThrough(mutual, async () => {});
    const denied = (await server.redis.call('ACL', 'LOG')) as unknown[];
    expect(denied).toEqual([]);

    await server.redis.call('ACL', 'SETUSER', 'nightmill', '-evalsha');
    await using workspace = await Workspace.make({
      'nightmill.yaml': configYaml({ url: model.url, redis: mutual }),
      'none.yaml': configYaml({ url: model.url, redis: withFiles(`ca: ${at('ca.crt')}`) }),
    });
    const refused = await workspace.run(['status']);
    expect(refused.stderr).toMatch(/Redis refuses this user a right: .*evalsha.*docs\/operation\.md/);
    const bare = await workspace.run(['--config', 'none.yaml', 'status']);
    expect(bare).toMatchObject({ code: 1 });
    expect(bare.stderr).toMatch(/Cannot reach Redis at rediss:\/\/\*\*\*@127\.0\.0\.1/);
    expect(bare.stderr).not.toMatch(/s3cret|\n\s+at /);
  },
  180_000,
);
