import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../../src/adapters/memory-store/memory-store.ts';
import type { FileRecord, OpenAiRecords } from '../../../src/compat/openai-records.ts';
import {
  findFile,
  removeAbandonedUploads,
  removeExpiredFiles,
  storeContent,
  untilAborted,
} from '../../../src/http/openai/file-content.ts';

function setUp(now: number) {
  const files = new Map<string, FileRecord>();
  const uploads = new Map<string, number>();
  const openai = {
    noteUpload: async (id: string, at: number) => void uploads.set(id, at),
    abandonedUploads: async (before: number) => [...uploads].filter(([, at]) => at < before).map(([id]) => id),
    forgetUpload: async (id: string) => void uploads.delete(id),
    getFile: async (id: string) => files.get(id),
    scanFiles: async function* () {
      yield* [...files.values()];
    },
    removeFile: async (id: string) => void files.delete(id),
  } as unknown as OpenAiRecords;
  const store = new MemoryStore();
  const time = { now };
  const app = { openai, store, clock: { now: () => time.now } as never };
  const add = async (id: string, expiresAt?: number) => {
    const measured = await storeContent(app, id, bytes('one\n', 'two\n'));
    const file: FileRecord = { id, purpose: 'batch', filename: 'a.jsonl', createdAt: 0, ...measured };
    files.set(id, expiresAt === undefined ? file : { ...file, expiresAt });
  };
  const keys = async () => {
    const found: string[] = [];
    for await (const { key } of store.list('files/')) found.push(key);
    return found;
  };
  return { app, add, keys, time };
}

async function* bytes(...texts: string[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (const text of texts) yield Buffer.from(text);
}

describe('files of the endpoint', () => {
  it('one that has expired does not exist, and is swept with its content', async () => {
    const { app, add, keys } = setUp(1_000);
    await add('file-old', 1_000);
    await add('file-new', 1_001);
    await add('file-kept');
    expect(await findFile(app, 'file-old')).toBeUndefined();
    expect(await findFile(app, 'file-new')).toMatchObject({ bytes: 8 });
    await removeExpiredFiles(app);
    expect(await keys()).toEqual(['files/file-kept/content', 'files/file-new/content']);
  });

  it('content whose server died before it became a file is swept a day later, and no file is', async () => {
    const { app, add, keys, time } = setUp(0);
    await add('file-kept');
    await storeContent(app, 'file-orphan', bytes('one\n'));
    time.now = 86_400_000;
    await removeAbandonedUploads(app);
    expect(await keys()).toHaveLength(2);
    time.now += 1;
    await removeAbandonedUploads(app);
    expect(await keys()).toEqual(['files/file-kept/content']);
  });

  it('content that breaks off is not stored', async () => {
    const { app, keys } = setUp(0);
    async function* broken(): AsyncGenerator<Uint8Array, void, undefined> {
      yield Buffer.from('half');
      throw new Error('gone');
    }
    await expect(storeContent(app, 'file-1', broken())).rejects.toThrow('gone');
    expect(await keys()).toEqual([]);
    const reading = untilAborted(bytes('a'), AbortSignal.abort(new Error('stopped')));
    await expect(reading.next()).rejects.toThrow('stopped');
  });
});
