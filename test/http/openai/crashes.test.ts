import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { App } from '../../../src/app.ts';
import type { BatchStep } from '../../../src/compat/openai-records.ts';
import { advanceBatch } from '../../../src/http/openai/advance-batch.ts';
import { cancelBatch } from '../../../src/operations/end-batches.ts';
import { storeKeys } from '../../../src/store/store-keys.ts';
import { type RunningWorker, startWorker } from '../../../src/worker/start-worker.ts';
import { queuesOf } from '../../../src/workflows/model-workflow.ts';
import { HttpModel } from '../../helpers/http-model.ts';
import { type HttpAnswer, openTestServer, type TestServer } from '../../helpers/http-server.ts';
import { batchFile, CHAT } from '../../helpers/openai-endpoint.ts';
import { type RedisServer, startRedisServer } from '../../helpers/redis-server.ts';

/**
 * Crashes between two steps of a batch of the OpenAI-compatible endpoint, on a real Redis. The server that clients ask
 * dies at a named point; another one, `app`, looks after its batches as every server does.
 */
const GOOD = { content: '{"label":"billing","confidence":0.9}' };
const REQUESTS = 4;
const NEVER = new AbortController().signal;

let redis: RedisServer;
let model: HttpModel;
let server: TestServer;
let worker: RunningWorker;
let app: App;
/** Where the first server dies: before or after it tells Redis of a step, of a new batch or of a file. */
let dies: { readonly when: 'before' | 'after'; readonly step: BatchStep | 'addBatch' | 'addFile' } | undefined;

beforeAll(async () => {
  redis = await startRedisServer();
  model = await HttpModel.start();
  server = await openTestServer({ redis: redis.url, model: model.url, change: mortal });
  app = server.app;
  worker = await startWorker(app, queuesOf(app.config));
});
beforeEach(() => {
  dies = undefined;
  model.reset();
  model.answer = () => GOOD;
});
afterAll(async () => {
  await worker?.stop();
  await server?.[Symbol.asyncDispose]();
  await model?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

function isDeath(when: 'before' | 'after', step: unknown): boolean {
  return dies !== undefined && dies.when === when && dies.step === step;
}

function mortal(whole: App): App {
  const openai = new Proxy(whole.openai, {
    get(target, name) {
      const value = Reflect.get(target, name) as unknown;
      if (typeof value !== 'function') return value;
      return async (...args: readonly unknown[]) => {
        const step = name === 'noteStep' ? args[1] : name;
        if (isDeath('before', step)) throw new Error('died');
        const result: unknown = await Reflect.apply(value, target, args);
        if (isDeath('after', step)) throw new Error('died');
        return result;
      };
    },
  });
  // Scans are generators and never the point.
  return {
    ...whole,
    openai: new Proxy(openai, {
      get: (target, name) =>
        String(name).startsWith('scan')
          ? (Reflect.get(whole.openai, name) as (...args: unknown[]) => unknown).bind(whole.openai)
          : Reflect.get(target, name),
    }),
  };
}

async function upload(): Promise<HttpAnswer> {
  const form = new FormData();
  form.append('purpose', 'batch');
  form.append('file', new Blob([batchFile(REQUESTS)]), 'in.jsonl');
  return await server.call('POST', '/v1/files', { body: form });
}

async function create(fileId: string, key?: string): Promise<HttpAnswer> {
  const headers = { 'content-type': 'application/json', ...(key === undefined ? {} : { 'idempotency-key': key }) };
  return await server.call('POST', '/v1/batches', {
    headers,
    body: JSON.stringify({ ...CHAT, input_file_id: fileId }),
  });
}

async function newBatch(): Promise<string> {
  const made = await create((await upload()).body.id);
  expect(made, made.text).toMatchObject({ status: 200 });
  return made.body.id;
}

/** Another server takes its steps until the batch is over. */
async function ended(id: string) {
  await expect
    .poll(
      async () => {
        await advanceBatch(app, id, NEVER);
        return (await app.openai.getBatch(id))?.ended !== undefined;
      },
      { timeout: 60_000 },
    )
    .toBe(true);
  const { body } = await server.call('GET', `/v1/batches/${id}`);
  const { total, completed, failed } = body.request_counts;
  expect(completed + failed).toBe(total);
  const times = [body.created_at, body.in_progress_at, body.finalizing_at, body.completed_at ?? body.cancelled_at];
  const known = times.filter((time) => time !== null && time !== undefined);
  expect(known).toEqual([...known].sort((a, b) => a - b));
  for (const file of [body.output_file_id, body.error_file_id]) {
    if (file !== null) expect(await server.call('GET', `/v1/files/${file}/content`)).toMatchObject({ status: 200 });
  }
  return body;
}

/** Waits until the first server has died of its step. */
async function untilDead(known: number): Promise<void> {
  await expect.poll(deaths, { timeout: 60_000 }).toBeGreaterThan(known);
}

const deaths = () => server.logged.filter(({ event }) => event === 'http:failed').length;
const asked = () => new Set(model.calls.map(({ hash }) => hash)).size;

describe('a server that dies', () => {
  it('while it makes a batch: what was answered with an error never runs, and with an idempotency key is found again', async () => {
    const file = (await upload()).body.id;
    dies = { when: 'after', step: 'addBatch' };
    expect((await create(file)).status).toBeGreaterThanOrEqual(500);
    expect((await create(file, 'tonight')).status).toBeGreaterThanOrEqual(500);
    dies = undefined;
    const again = await create(file, 'tonight');
    expect(again, again.text).toMatchObject({ status: 200 });
    const listed = (await server.call('GET', '/v1/batches')).body.data as readonly { readonly id: string }[];
    expect(listed).toHaveLength(2);
    const other = listed.find(({ id }) => id !== again.body.id)?.id ?? '';
    expect(await ended(again.body.id)).toMatchObject({ status: 'completed' });
    expect(await ended(other)).toMatchObject({ status: 'cancelled' });
    expect(model.calls).toHaveLength(REQUESTS);
  });

  it('after its batches were submitted: they are joined, and nothing runs twice', async () => {
    const known = deaths();
    dies = { when: 'before', step: 'submitted' };
    const id = await newBatch();
    await untilDead(known);
    expect(await ended(id)).toMatchObject({ status: 'completed', request_counts: { completed: REQUESTS } });
    expect(model.calls).toHaveLength(REQUESTS);
  });

  it('with the output written and its end not noted: the same files are written again, once', async () => {
    const known = deaths();
    dies = { when: 'before', step: 'ended' };
    const id = await newBatch();
    await untilDead(known);
    const body = await ended(id);
    expect(body).toMatchObject({ status: 'completed', error_file_id: null });
    const { text } = await server.call('GET', `/v1/files/${body.output_file_id}/content`);
    expect(new Set(text.trimEnd().split('\n')).size).toBe(REQUESTS);
    expect(asked()).toBe(REQUESTS);
  });

  it('right after it noted a cancel: nobody goes back on it, and no message need arrive', async () => {
    model.holdAfter(1);
    const id = await newBatch();
    await model.until(() => model.count('waiting') > 0);
    dies = { when: 'after', step: 'cancelling' };
    const cancelled = await server.call('POST', `/v1/batches/${id}/cancel`);
    dies = undefined;
    expect(cancelled.status).toBeGreaterThanOrEqual(500);
    expect((await server.call('GET', `/v1/batches/${id}`)).body.status).toBe('cancelling');
    model.release();
    expect(await ended(id)).toMatchObject({ status: 'cancelled', request_counts: { total: REQUESTS } });
  });

  it('while it receives a file leaves no content behind that no file names', async () => {
    dies = { when: 'before', step: 'addFile' };
    expect((await upload()).status).toBeGreaterThanOrEqual(500);
    dies = undefined;
    const known = (await server.call('GET', '/v1/files')).body.data.map(({ id }: { id: string }) => id);
    for await (const { key } of app.store.list('files/')) {
      expect(known.map((id: string) => storeKeys.fileContent(id))).toContain(key);
    }
  });

  it('again and again over one batch holds up no other', async () => {
    const known = deaths();
    dies = { when: 'before', step: 'planned' };
    const poisoned = await newBatch();
    await untilDead(known);
    dies = undefined;
    const other = await newBatch();
    expect(await ended(other)).toMatchObject({ status: 'completed' });
    expect(await ended(poisoned)).toMatchObject({ status: 'completed' });
  });
});

describe('several servers', () => {
  it('take the steps of a batch at once, and it runs once', async () => {
    const id = await newBatch();
    await Promise.all([1, 2, 3, 4].map(() => advanceBatch(app, id, NEVER)));
    expect(await ended(id)).toMatchObject({ status: 'completed' });
    expect(model.calls).toHaveLength(REQUESTS);
  });

  it('one that froze in the middle of a step and thaws when all is over changes nothing', async () => {
    let thaw = () => {};
    const frozen = new Promise<void>((resolve) => {
      thaw = resolve;
    });
    const known = deaths();
    dies = { when: 'before', step: 'planned' };
    const id = await newBatch();
    await untilDead(known);
    const reached = Promise.withResolvers<void>();
    const zombie = {
      ...app,
      batches: new Proxy(app.batches, {
        get(target, name) {
          const value = Reflect.get(target, name) as unknown;
          if (typeof value !== 'function') return value;
          return async (...args: readonly unknown[]) => {
            if (name === 'create') {
              reached.resolve();
              await frozen;
            }
            return await Reflect.apply(value, target, args);
          };
        },
      }),
    };
    const stuck = advanceBatch({ ...zombie, submit: { ...app.submit, batches: zombie.batches } }, id, NEVER).catch(
      () => {},
    );
    await reached.promise;
    // Its locks run out.
    const client = await redis.connect();
    for (const key of await client.keys('*submission*')) await client.del(key);
    const body = await ended(id);
    thaw();
    await stuck;
    expect((await server.call('GET', `/v1/batches/${id}`)).body).toEqual(body);
    expect(model.calls).toHaveLength(REQUESTS);
  });

  it('a cancel that meets the end: what was acknowledged as cancelling ends cancelled, what was late as completed', async () => {
    for (let round = 0; round < 3; round += 1) {
      const before = model.calls.length;
      const id = await newBatch();
      await expect
        .poll(async () => (await app.openai.getBatch(id))?.submitted !== undefined, { timeout: 30_000 })
        .toBe(true);
      await expect.poll(() => model.calls.length, { timeout: 30_000 }).toBeGreaterThan(before);
      const [answer] = await Promise.all([
        server.call('POST', `/v1/batches/${id}/cancel`),
        advanceBatch(app, id, NEVER),
      ]);
      const { status } = await ended(id);
      if (answer.status === 200 && answer.body.status === 'cancelling') expect(status).toBe('cancelled');
      else expect(status).toBe('completed');
    }
  });

  it('a batch that is over stays as it ended, whoever comes late', async () => {
    const id = await newBatch();
    const body = await ended(id);
    expect((await server.call('POST', `/v1/batches/${id}/cancel`)).status).toBe(409);
    expect(await app.openai.noteStep(id, 'ended', { ...body, ending: 'cancelled' })).toBe(false);
    await app.openai.noteStep(id, 'cancelling', { at: app.clock.now() });
    await advanceBatch(app, id, NEVER);
    await cancelBatch(app, id);
    expect((await server.call('GET', `/v1/batches/${id}`)).body.status).toBe('completed');
    expect(await app.batches.get(id)).toMatchObject({ state: 'completed' });
  });
});
