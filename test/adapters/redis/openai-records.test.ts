import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { RedisOpenAiRecords } from '../../../src/adapters/redis/openai-records.ts';
import type { CompatBatch, FileRecord } from '../../../src/compat/openai-records.ts';
import { type RedisServer, startRedisServer } from '../../helpers/redis-server.ts';
import { Cluster } from './fixture.ts';

let server: RedisServer;
let cluster: Cluster;
let records: RedisOpenAiRecords;

beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  cluster = new Cluster(await server.connect());
  records = new RedisOpenAiRecords(cluster.redis, cluster.keys);
});
afterEach(() => cluster.stop());

const fileOf = (id: string): FileRecord => ({
  id,
  purpose: 'batch',
  filename: 'in.jsonl',
  bytes: 3,
  sha256: 'ab',
  createdAt: 5,
});
const batchOf = (id: string): CompatBatch => ({
  id,
  actor: 'anna',
  createdAt: 5,
  endpoint: '/v1/chat/completions',
  completionWindow: '24h',
  expiresAt: 9,
  inputFileId: 'file-1',
  mayReadFile: true,
  metadata: { team: 'a' },
  requestHash: 'cd',
});

async function idsOf(found: AsyncIterable<{ readonly id: string }>): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of found) ids.push(id);
  return ids;
}

describe('records of the OpenAI-compatible endpoint', () => {
  test('files come in the order in which they were added, also beyond one read, and leave', async () => {
    const ids = Array.from({ length: 250 }, (_, index) => `file-${(index * 7919) % 1000}`);
    for (const id of ids) await records.addFile(fileOf(id));
    expect(await idsOf(records.scanFiles({ newestFirst: false }))).toEqual(ids);
    expect(await idsOf(records.scanFiles({ newestFirst: true, after: ids[240] }))).toEqual(
      ids.slice(0, 240).toReversed(),
    );
    expect(await idsOf(records.scanFiles({ newestFirst: false, after: ids[247] }))).toEqual(ids.slice(248));
    expect(await idsOf(records.scanFiles({ newestFirst: false, after: 'file-none' }))).toEqual([]);
    await records.removeFile(ids[0] as string);
    expect(await records.getFile(ids[0] as string)).toBeUndefined();
    expect((await idsOf(records.scanFiles({ newestFirst: false, after: ids[0] })))[0]).toBe(ids[1]);
    expect(await records.wasAdded('files', ids[0] as string)).toBe(true);
    expect(await records.wasAdded('files', 'file-none')).toBe(false);
    expect(await records.getFile(ids[1] as string)).toEqual(fileOf(ids[1] as string));
    expect(await idsOf(records.scanFiles({ newestFirst: false }))).toEqual(ids.slice(1));
  });

  test('a batch is added once, a step is noted once, and the last step closes it', async () => {
    expect(await records.getBatch('batch_1')).toBeUndefined();
    expect(await records.addBatch(batchOf('batch_1'))).toBe(true);
    expect(await records.addBatch({ ...batchOf('batch_1'), actor: 'eve' })).toBe(false);
    expect(await records.noteStep('batch_1', 'cancelling', { at: 7 })).toBe(true);
    expect(await records.noteStep('batch_1', 'cancelling', { at: 8 })).toBe(false);
    expect(await records.getBatch('batch_1')).toEqual({ ...batchOf('batch_1'), cancelling: { at: 7 } });
    expect(await records.openBatches()).toEqual(['batch_1']);
    expect(await records.noteStep('batch_1', 'refused', { at: 9, faults: [] })).toBe(true);
    expect(await records.openBatches()).toEqual([]);
    await records.addBatch(batchOf('batch_2'));
    expect(await idsOf(records.scanBatches({ newestFirst: true }))).toEqual(['batch_2', 'batch_1']);
    expect(await idsOf(records.scanBatches({ newestFirst: true, after: 'batch_2' }))).toEqual(['batch_1']);
  });
});
