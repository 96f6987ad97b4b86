import { gzipSync, zstdCompressSync } from 'node:zlib';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { type FauxqsServer, startFauxqs } from 'fauxqs';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CliOptions } from '../helpers/cli.ts';
import { HttpModel } from '../helpers/http-model.ts';
import { startTcpRedis, type TcpRedis } from '../helpers/tcp-redis.ts';
import { configYaml, expectBalanced, makeDocuments, toJsonl, Workspace } from '../helpers/workspace.ts';

let model: HttpModel;
let redis: TcpRedis;
let s3: FauxqsServer;

beforeAll(async () => {
  model = await HttpModel.start();
  redis = await startTcpRedis();
  s3 = await startFauxqs({ port: 0, logger: false });
  s3.createBucket('mill');
});
beforeEach(() => model.reset());
afterAll(async () => {
  await s3.stop();
  await redis[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
});

const jsonl = toJsonl(makeDocuments(6));
const ids = makeDocuments(6).map(({ id }) => id);

/** Runs over `inputs` and expects one result for each id, in this order. */
async function expectDocuments(
  workspace: Workspace,
  inputs: readonly string[],
  expected: readonly string[],
  options?: CliOptions,
): Promise<void> {
  const finished = await workspace.run(['run', ...inputs, '-w', 'digest', '-o', 'out'], options);
  expect(finished, finished.stderr).toMatchObject({ code: 0 });
  const output = await workspace.readOutput('out');
  expectBalanced(output, expected);
  expect(output.results.map((row) => row.id)).toEqual(expected);
  expect(model.calls).toHaveLength(expected.length);
}

async function makeWorkspace(files: Readonly<Record<string, string | Uint8Array>>, more = ''): Promise<Workspace> {
  return await Workspace.make({ 'nightmill.yaml': configYaml({ url: model.url, redis: redis.url, more }), ...files });
}

describe('inputs of nightmill run', () => {
  it('a gzip and a zstd file are read like plain ones, several after each other', async () => {
    const more = toJsonl([{ id: 'z', text: 'The last document' }]);
    await using workspace = await makeWorkspace({
      'a.jsonl.gz': gzipSync(jsonl),
      'b.jsonl.zst': zstdCompressSync(more),
    });
    await expectDocuments(workspace, ['a.jsonl.gz', 'b.jsonl.zst'], [...ids, 'z']);
  });

  it('standard input is read as JSONL, also when it is packed', async () => {
    await using workspace = await makeWorkspace({});
    await expectDocuments(workspace, ['-'], ids, { stdin: gzipSync(jsonl) });
  });

  it('a folder gives a document for each text file, named by its path, and says what it left out', async () => {
    await using workspace = await makeWorkspace({
      'inbox/b.md': '# Second',
      'inbox/a.txt': 'First of all',
      'inbox/deep/c.txt': 'Third and last',
      'inbox/photo.png': 'x',
    });
    await expectDocuments(workspace, ['inbox'], ['a.txt', 'b.md', 'deep/c.txt']);
    const again = await workspace.run(['submit', 'inbox', '-w', 'digest', '--id', 'again']);
    expect(again.stderr).toMatch(/1 files of other types were left out \(inbox\/photo\.png\)/);
  });

  it('an s3:// prefix gives the documents of its objects', async () => {
    await putObjects({
      'inbox/1.jsonl': jsonl,
      'inbox/2.txt': 'A text of its own',
      'elsewhere/3.txt': 'Not this one',
    });
    await using workspace = await makeWorkspace({}, s3Lines());
    await expectDocuments(workspace, ['s3://mill/inbox/'], [...ids, '2.txt']);
    const missing = await workspace.run(['submit', 's3://mill/nothing/', '-w', 'digest']);
    expect(missing).toMatchObject({ code: 2 });
    expect(missing.stderr).toMatch(/s3:\/\/mill under "nothing\/": it has no objects that hold documents/);
  });

  it('tables, pages and packed files under an s3:// prefix are read as on disk, in the order of their keys', async () => {
    const columnData = [
      { name: 'id', data: ['p1', 'p2'], type: 'STRING' as const },
      { name: 'text', data: ['The invoice is wrong', 'The page is down'], type: 'STRING' as const },
    ];
    await putObjects({
      'tables/a.csv.gz': gzipSync('id,text\nc1,"An invoice,\ntwice"\nc2,A page\n'),
      'tables/b.parquet': new Uint8Array(parquetWriteBuffer({ columnData })),
      'tables/c.html': '<title>Page</title><p>The page is down again.</p>',
      'tables/d.jsonl.zst': zstdCompressSync(toJsonl([{ id: 'z1', text: 'The last one' }])),
    });
    await using workspace = await makeWorkspace({}, s3Lines());
    await expectDocuments(workspace, ['s3://mill/tables/'], ['c1', 'c2', 'p1', 'p2', 'c.html', 'z1']);
  });
});

function s3Lines(): string {
  return `s3: { endpoint: "${s3.address}", forcePathStyle: true, accessKeyId: test, secretAccessKey: test }`;
}

async function putObjects(objects: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const client = new S3Client({ endpoint: s3.address, region: 'us-east-1', forcePathStyle: true, credentials });
  for (const [Key, Body] of Object.entries(objects)) {
    await client.send(new PutObjectCommand({ Bucket: 'mill', Key, Body }));
  }
  client.destroy();
}
