import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { usdToNano } from '../../src/money/money.ts';
import { HttpModel } from '../helpers/http-model.ts';
import { type RedisServer, startRedisServer } from '../helpers/redis-server.ts';
import { configYaml, expectBalanced, makeDocuments, toJsonl, Workspace } from '../helpers/workspace.ts';

let model: HttpModel;
let redis: RedisServer;
beforeAll(async () => {
  [model, redis] = await Promise.all([HttpModel.start(), startRedisServer()]);
});
beforeEach(() => model.reset());
afterAll(async () => {
  await model[Symbol.asyncDispose]();
  await redis.stop();
});

interface BudgetJson {
  readonly scope: string;
  readonly spentUsd: number;
  readonly limitUsd: number | null;
}

async function spentToday(workspace: Workspace): Promise<BudgetJson | undefined> {
  const budgets = await workspace.json<readonly BudgetJson[]>(['budget', 'show']);
  return budgets.find(({ scope }) => scope === 'workflow:triage/day');
}

describe('recover', () => {
  it('after FLUSHALL in mid-batch continues without paying again for what was committed, and the bill is the books', async () => {
    const documents = makeDocuments(48);
    const ids = documents.map(({ id }) => id);
    await using workspace = await Workspace.make({
      'nightmill.yaml': configYaml({
        url: model.url,
        redis: redis.url,
        slice: 6,
        concurrency: 4,
        workflow: 'budget: { day: 5 }',
        worker: 'slices: 2',
      }),
      'docs.jsonl': toJsonl(documents),
      'before.jsonl': toJsonl(makeDocuments(6).map((document) => ({ ...document, id: `before-${document.id}` }))),
    });
    await workspace.run(['budget', 'set', 'batch:b', '1.5']);
    const first = await workspace.startWorker();
    await workspace.run(['submit', 'before.jsonl', '-w', 'triage', '--id', 'before', '--wait']);
    model.holdAfter(26);
    await workspace.run(['submit', 'docs.jsonl', '-w', 'triage', '--id', 'b', '--name', 'tonight', '--budget', '2']);
    await model.until(() => model.count('waiting') === 4);
    await workspace.statusWhen('b', ({ documents: { done = 0 }, heldUsd }) => done > 0 && heldUsd > 0);
    const before = await workspace.status('b');
    // A checkpoint that knows of all of this.
    const client = await redis.connect();
    for (const turn of await client.keys('*checkpoint-turn')) await client.del(turn);
    const taken = Date.now();
    await expect.poll(() => checkpointAt(workspace).catch(() => 0), { timeout: 60_000 }).toBeGreaterThan(taken);
    first.kill('SIGKILL');
    await first.exited;
    await client.flushall();

    expect(await workspace.run(['status', 'b'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('nightmill recover') as string,
    });
    expect((await workspace.run(['doctor'])).stdout).toMatch(/FAILED +checkpoint.*nightmill recover/);
    model.release();
    const recovered = await workspace.run(['recover']);
    expect(recovered, recovered.stderr).toMatchObject({ code: 0 });
    expect(recovered.stdout).toContain('1 open and 1 ended batches');
    expect(recovered.stdout).toContain('What cannot be known:');
    expect(await workspace.status('before')).toMatchObject({ state: 'completed', documents: { succeeded: 6 } });
    const after = await workspace.status('b');
    expect(after).toMatchObject({ limitUsd: 2, heldUsd: 0, name: 'tonight' });
    expect(usdToNano(after.spentUsd)).toBe(usdToNano(before.spentUsd) + usdToNano(before.heldUsd));
    expect((await workspace.run(['recover'])).stdout).toContain('has lost nothing');

    const answeredBefore = model.calls.filter(({ state }) => state === 'answered').length;
    await workspace.startWorker();
    await workspace.statusWhen('b', ({ state }) => state === 'completed');
    await workspace.run(['results', 'b', '-o', 'out']);
    const output = await workspace.readOutput('out');
    expectBalanced(output, ids);
    expect(output.results).toHaveLength(48);
    // Slices that were committed are not asked again.
    const committedDocuments = 48 - (model.calls.filter(({ state }) => state === 'answered').length - answeredBefore);
    expect(committedDocuments).toBeGreaterThanOrEqual(6);
    expect(committedDocuments % 6).toBe(0);
    // Everything that the provider has billed is in the books: as rows, or as uncertain.
    const booked = usdToNano(output.manifest.costUsd) + usdToNano(output.manifest.uncertainUsd);
    const beforeCost = usdToNano((await workspace.status('before')).spentUsd);
    expect(booked + beforeCost).toBeGreaterThanOrEqual(model.billNano);
    expect(usdToNano((await spentToday(workspace))?.spentUsd ?? 0)).toBe(booked + beforeCost);
    expect(usdToNano(output.manifest.uncertainUsd)).toBeGreaterThan(0);
  }, 300_000);
});

/** When the checkpoint in the store was taken, milliseconds since the epoch. */
async function checkpointAt(workspace: Workspace): Promise<number> {
  const folder = workspace.path('.nightmill/store/checkpoints');
  const [name = ''] = await readdir(folder);
  return (JSON.parse(gunzipSync(await readFile(join(folder, name))).toString()) as { at: number }).at;
}
