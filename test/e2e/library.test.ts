import { existsSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { NightmillError } from '../../src/errors.ts';
import { connect } from '../../src/library/index.ts';
import { HttpModel } from '../helpers/http-model.ts';
import { startTcpRedis } from '../helpers/tcp-redis.ts';
import { configYaml, makeDocuments, toJsonl, Workspace } from '../helpers/workspace.ts';

vi.setConfig({ testTimeout: 90_000 });

let model: HttpModel;

beforeAll(async () => {
  model = await HttpModel.start();
});
beforeEach(() => model.reset());
afterAll(async () => model[Symbol.asyncDispose]());

const documents = makeDocuments(40);
const ids = documents.map(({ id }) => id);

async function collect<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const row of rows) all.push(row);
  return all;
}

/** Documents that come one by one, and how many have been asked for. */
function producer(count: number) {
  const state = { made: 0 };
  async function* make() {
    for (const document of makeDocuments(count)) {
      state.made += 1;
      yield document;
    }
  }
  return { state, documents: make() };
}

describe('connect()', () => {
  it('submits an async iterable, works on it in this process, and gives rows in input order', async () => {
    await using workspace = await Workspace.make({ 'nightmill.yaml': configYaml({ url: model.url }) });
    await using mill = await connect({ cwd: workspace.folder, logLevel: 'error' });
    const source = producer(40);
    const batch = await mill.submit('triage', source.documents, { id: 'night', budgetUsd: 1, name: 'first' });
    expect(batch).toMatchObject({ id: 'night', kind: 'submitted' });
    expect(source.state.made).toBe(40);
    const seen = await collect(batch.progress({ pollMs: 20 }));
    expect(seen.at(-1)).toMatchObject({ state: 'completed', limitUsd: 1, documents: { total: 40, succeeded: 40 } });
    const rows = await collect(batch.results());
    expect(rows.map(({ id }) => id)).toEqual(ids);
    expect(rows[1]).toMatchObject({
      status: 'succeeded',
      model: 'small',
      metadata: { row: 1, from: { city: 'Köln' } },
    });
    expect(await collect(batch.errors())).toEqual([]);
    const manifest = await batch.manifest();
    expect(manifest).toMatchObject({ batch: 'night', documents: { total: 40, succeeded: 40 } });
    expect(manifest.costUsd).toBe(seen.at(-1)?.spentUsd);
    expect(await mill.submit('triage', makeDocuments(40), { id: 'night' })).toMatchObject({ kind: 'joined' });
    expect(await mill.list()).toHaveLength(1);
    expect(model.repeats).toBe(0);
  });

  it('names what is wrong, and leaves nothing behind', async () => {
    await using workspace = await Workspace.make({ 'nightmill.yaml': configYaml({ url: model.url }) });
    await using mill = await connect({ cwd: workspace.folder, logLevel: 'silent' });
    const refused = async (work: () => Promise<unknown>) => {
      const error = await work().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(NightmillError);
      return error as NightmillError;
    };
    expect(await refused(() => mill.submit('nobody', documents))).toMatchObject({ code: 'workflow_unknown' });
    expect(await refused(() => mill.batch('nobody'))).toMatchObject({ code: 'batch_unknown' });
    const bad = await refused(() => mill.submit('triage', [{ id: 'a', text: 'x' }, 7] as never));
    expect(bad).toMatchObject({ code: 'input_invalid' });
    expect(bad.message).toContain('Document 2 is "7"');
    const twice = await refused(() => mill.submit('triage', [documents[0], documents[0]] as never));
    expect(twice.message).toMatch(/duplicate|used by an earlier document/);
    async function* breaks() {
      yield { id: 'a', text: 'x' };
      throw new Error('the source broke');
    }
    await expect(mill.submit('triage', breaks())).rejects.toThrow('the source broke');
    expect(await mill.list()).toEqual([]);
    expect(await mill.work().then((worker) => worker.stop())).toBeUndefined();
  });

  it('shares a cluster: one process submits, another works, a limit pauses and is raised', async () => {
    await using server = await startTcpRedis();
    const config = configYaml({ url: model.url, redis: server.url });
    await using workspace = await Workspace.make({ 'nightmill.yaml': config, 'docs.jsonl': toJsonl(documents) });
    await using mill = await connect({ config: workspace.path('nightmill.yaml'), cwd: workspace.folder });
    await using other = await connect({ config: workspace.path('nightmill.yaml'), cwd: workspace.folder });
    const batch = await mill.submit('triage', workspace.path('docs.jsonl'), { budgetUsd: 0.0004 });
    expect(await batch.status()).toMatchObject({ state: 'queued', documents: { total: 40, done: 0 } });
    await using worker = await other.work(['triage']);
    await expect(batch.wait({ pollMs: 20 })).rejects.toMatchObject({ code: 'batch_state' });
    const { spentUsd, state } = await batch.status();
    expect(state).toBe('paused');
    expect(spentUsd).toBeLessThanOrEqual(0.0004);
    const change = await mill.budgets.set(`batch:${batch.id}`, 1);
    expect(change).toEqual({ before: 0.0004, limit: 1 });
    expect(await collect(batch.results())).toHaveLength(40);
    expect(await mill.budgets.list()).toContainEqual(expect.objectContaining({ scope: 'global/day', limitUsd: null }));
    await worker.stop();
  });

  it('takes a config object, asks failed documents again, and downloads', async () => {
    await using workspace = await Workspace.make();
    const config = {
      providers: { acme: { kind: 'openai', baseUrl: model.url, apiKey: '$' + '{KEY}' } },
      models: {
        small: { provider: 'acme', id: 'small-2026-01-01', price: { inputPerMillion: 0.15, outputPerMillion: 0.6 } },
      },
      workflows: { triage: { task: 'classify', labels: ['billing', 'bug'], cascade: [{ model: 'small' }] } },
    };
    model.answer = ({ document }) =>
      document.includes('Ticket 3:') ? { content: 'no idea' } : { content: '{"label":"billing","confidence":0.9}' };
    const missing = await connect({ config, cwd: workspace.folder, env: {}, logLevel: 'silent' });
    await expect(missing.submit('triage', documents)).rejects.toMatchObject({ code: 'config_invalid' });
    await missing.close();
    await using mill = await connect({ config, cwd: workspace.folder, env: { KEY: 'secret' }, logLevel: 'silent' });
    const batch = await mill.submit('triage', documents.slice(0, 10));
    expect((await collect(batch.errors())).map(({ id, error }) => [id, error.code])).toEqual([
      ['doc-3', expect.any(String)],
    ]);
    model.answer = () => ({ content: '{"label":"bug","confidence":0.9}' });
    await batch.retry();
    const rows = await collect(batch.results());
    expect(rows.map(({ id }) => id)).toEqual(ids.slice(0, 10));
    expect(rows[3]?.result.label).toBe('bug');
    expect(await batch.download(workspace.path('out'))).toMatchObject({ results: 10, errors: 0 });
    expect(existsSync(workspace.path('out/manifest.json'))).toBe(true);
    expect(await mill.plan('triage', documents)).toMatchObject({ documents: 40 });
  });
});
