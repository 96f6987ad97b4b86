import { writeFileSync } from 'node:fs';
import { expect, it, vi } from 'vitest';
import { sourceOfInputs } from '../../../src/documents/document-source.ts';
import { readCheckpoint, writeCheckpoint } from '../../../src/operations/recovery/checkpoints.ts';
import { recover } from '../../../src/operations/recovery/recover.ts';
import { submitDocuments } from '../../../src/operations/submit-documents.ts';
import { openTestServer } from '../../helpers/http-server.ts';
import { startRedisServer } from '../../helpers/redis-server.ts';
import { makeTemporaryFolder } from '../../helpers/temporary-folder.ts';
import { toJsonl } from '../../helpers/workspace.ts';

it('a Redis that loses its memory right after the very first submission is known to have lost it, and gets it back', async () => {
  await using redis = await startRedisServer();
  await using server = await openTestServer({ redis: redis.url });
  await using folder = await makeTemporaryFolder();
  const { app } = server;
  const path = `${folder.path}/docs.jsonl`;
  writeFileSync(path, toJsonl([{ id: 'a', text: 'Ticket' }]));
  const source = sourceOfInputs([{ kind: 'path', path }], [path]);
  await submitDocuments(app, { workflow: 'triage', source, id: 'first' });
  expect(await readCheckpoint(app)).toMatchObject({ identity: await app.memory.identity() });

  await (await redis.connect()).flushall();
  expect(await writeCheckpoint(app)).toBe('lost');
  expect(await recover(app)).toMatchObject({ lost: true, open: [{ batchId: 'first', slices: 1, committed: 0 }] });
});

it('a checkpoint that was under way when Redis lost its memory does not replace the last one', async () => {
  await using redis = await startRedisServer();
  await using server = await openTestServer({ redis: redis.url });
  const { app } = server;
  const client = await redis.connect();
  expect(await writeCheckpoint(app)).toBe('written');
  const before = await readCheckpoint(app);
  vi.spyOn(app.memory, 'takeTurn').mockResolvedValue(true);
  const read = app.memory.read.bind(app.memory);
  vi.spyOn(app.memory, 'read').mockImplementationOnce(async (what) => {
    const data = await read(what);
    await client.flushall();
    return data;
  });
  expect(await writeCheckpoint(app)).toBe('lost');
  expect(await readCheckpoint(app)).toEqual(before);
});
