import { readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { usdToNano } from '../../src/money/money.ts';
import { ALL_TESTS } from '../helpers/all-tests.ts';
import { HttpModel } from '../helpers/http-model.ts';
import { type RedisServer, startRedisServer } from '../helpers/redis-server.ts';
import { configYaml, expectBalanced, makeDocuments, toJsonl, Workspace } from '../helpers/workspace.ts';

let model: HttpModel;
let redis: RedisServer;
beforeAll(async () => {
  [model, redis] = await Promise.all([HttpModel.start(), startRedisServer()]);
});
afterAll(async () => {
  await model[Symbol.asyncDispose]();
  await redis.stop();
});

const GOOD = { env: { ACME_API_KEY: 'good' } };
const REVOKED = { env: { ACME_API_KEY: 'revoked' } };
/** No wait of this evening is longer, also on a busy machine; where it ends is named. */
const LONGEST_WAIT_MS = 60_000;

async function within<T>(what: string, wait: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const late = delay(LONGEST_WAIT_MS, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`Not within ${LONGEST_WAIT_MS / 1000} s: ${what}`);
  });
  try {
    return await Promise.race([wait, late]);
  } finally {
    late.catch(() => {});
    timer.abort();
  }
}

/** Texts of one team's documents, each with an id of its own. */
function documentsOf(team: string, count: number) {
  return makeDocuments(count).map(({ id, text }) => ({ id: `${team}-${id}`, text: `${text} Asked by ${team}.` }));
}

const bank = documentsOf('bank', 12);
const shop = documentsOf('shop', 8);
const typo = documentsOf('typo', 4);

async function openEvening(): Promise<Workspace> {
  const more = 'tenants: { bank: {}, shop: {} }\nstore: file:real';
  const config = configYaml({ url: model.url, redis: redis.url, slice: 4, worker: 'slices: 1', more });
  const workspace = await Workspace.make({
    'nightmill.yaml': config,
    'poor.yaml': config.replaceAll('provider: acme', 'provider: other').replace('  acme: {', '  other: {'),
    'store.yaml': config.replace('store: file:real', 'store: file:link'),
    'dear.yaml': config.replaceAll('inputPerMillion: 0.15', 'inputPerMillion: 9'),
    'lost.yaml': config.replace('    cascade:', '    examples: gone.jsonl\n    cascade:'),
    'typo.yaml': config.replace('id: small-2026-01-01', 'id: smal-2026-01-01'),
    'bank.jsonl': toJsonl(bank),
    'shop.jsonl': toJsonl(shop),
    'typo.jsonl': toJsonl(typo),
    'real/.keep': '',
  });
  symlinkSync('real', workspace.path('link'));
  return workspace;
}

/** The replies of one document are no answers until the retry; the key and the model's id must be right. */
function answerWith(state: { bad: boolean }): void {
  model.answer = ({ authorization, body, document }) => {
    if (authorization !== 'Bearer good') {
      return { status: 401, error: { message: 'This key was revoked.', code: 'invalid_api_key' } };
    }
    if (body.model !== 'small-2026-01-01') return { status: 404, error: { message: `No model ${body.model}` } };
    const isBad = state.bad && document.includes('Ticket 0:') && document.includes('Asked by shop');
    return { content: isBad ? 'I would rather not say.' : '{"label":"bug","confidence":0.9}' };
  };
}

it.runIf(ALL_TESTS)(
  'an evening of two teams: whatever one does wrong, the documents of the others are answered once, and bill = books',
  async () => {
    await using workspace = await openEvening();
    const state = { bad: true };
    answerWith(state);
    const run = async (...args: string[]) => {
      const finished = await within(args.join(' '), workspace.run(args, GOOD));
      expect(finished.stderr).not.toMatch(/\n\s+at /);
      return finished;
    };
    const status = async (batch: string) => (await run('status', batch)).stdout;
    const ended = (batch: string) =>
      within(
        `${batch} ends`,
        workspace.statusWhen(batch, ({ state: now }) => now === 'completed'),
      );

    // Nobody works yet, and status says what to do.
    const submit = ['submit', '-w', 'triage'];
    await run(...submit, 'bank.jsonl', '--id', 'bank', '--tenant', 'bank');
    await run(...submit, 'shop.jsonl', '--id', 'shop', '--tenant', 'shop');
    expect(await status('bank')).toMatch(/tenant bank(.*\n)*.*no worker is alive for triage/);

    // A worker with another config, one whose key was revoked, one that will lose its store, and one that will be killed.
    model.holdAfter(0);
    const poor = workspace.start(['worker', '--config', 'poor.yaml'], GOOD);
    await within('the poor worker hands slices back', poor.prints(/slice:deferred/));
    expect(await status('bank')).toMatch(/left out {3}worker .+ has no provider "acme"/);
    const start = (key: { readonly env: Record<string, string> }, ...args: string[]) =>
      workspace.start(['worker', ...args], key);
    const [killed, revoked, troubled] = [start(GOOD), start(REVOKED), start(GOOD, '--config', 'store.yaml')];
    await within(
      'three workers have asked',
      model.until(({ calls }) => calls.filter((call) => call.state === 'waiting').length === 12),
    );
    // One whose examples are missing does not start. One is killed in the midst of its calls; another, whose config has other
    // prices, takes its place before anything is answered: a batch costs what it said when it was submitted.
    const lost = await run('worker', '--config', 'lost.yaml');
    expect(lost).toMatchObject({ code: 2, stderr: expect.stringMatching(/examples: cannot read .*gone\.jsonl/) });
    const second = start(GOOD, '--config', 'dear.yaml');
    await within('the second worker starts', second.prints(/worker:started/));
    killed.kill('SIGKILL');
    await killed.exited;
    rmSync(workspace.path('link'));
    writeFileSync(workspace.path('link'), 'no folder');
    model.release();
    await within('the key is found revoked', revoked.prints(/key:refused/));
    await within('the store is missed', troubled.prints(/store:trouble/));
    // The log says it a moment before the registry of workers does.
    await expect
      .poll(async () => (await run('workers')).stdout, { timeout: LONGEST_WAIT_MS })
      .toMatch(/takes no slices: Cannot .+ in the store/);

    await ended('bank');
    await ended('shop');
    expect(await status('bank')).toMatch(/completed .*\n.*12 of 12 done: 12 succeeded/);
    expect(await status('shop')).toMatch(/8 of 8 done: 7 succeeded, 1 failed/);

    // A batch with a wrong model id waits alone, and is told why.
    for (const worker of [revoked, troubled]) worker.kill('SIGKILL');
    const warned = await run(...submit, 'typo.jsonl', '--id', 'typo', '--tenant', 'shop', '--config', 'typo.yaml');
    expect(warned.stderr).toContain('does not list "smal-2026-01-01"');
    const wrong = await within(
      'the wrong model id is found',
      workspace.statusWhen('typo', ({ state: now }) => now === 'paused'),
    );
    expect(wrong.documents).toMatchObject({ failed: 0, succeeded: 0 });
    expect(await status('typo')).toMatch(/paused(.*\n)*.*smal-2026-01-01/);

    // Redis loses everything; the store knows it.
    await within('a checkpoint', checkpoint(workspace));
    for (const worker of [poor, revoked, troubled, second]) worker.kill('SIGKILL');
    await Promise.all([poor, revoked, troubled, second].map(({ exited }) => exited));
    await (await redis.connect()).flushall();
    expect((await run('status', 'bank')).stderr).toContain('nightmill recover');
    expect((await run('recover')).stdout).toContain('1 open and 2 ended batches');

    // What failed is asked again, a changed line is asked alone.
    state.bad = false;
    const answered = () => model.count('answered');
    let before = answered();
    expect(await run('retry', 'shop', '-o', 'out-shop')).toMatchObject({ code: 0 });
    expect(answered() - before).toBe(1);
    await workspace.write('changed.jsonl', toJsonl([{ ...bank[0], text: 'Ticket of another day.' }, ...bank.slice(1)]));
    before = answered();
    const changed = ['run', 'changed.jsonl', '-w', 'triage', '--id', 'changed', '--tenant', 'bank', '--new-only'];
    expect(await run(...changed, '-o', 'out-changed')).toMatchObject({ code: 0 });
    expect(answered() - before).toBe(1);

    expect(await run('results', 'bank', '-o', 'out-bank')).toMatchObject({ code: 0 });
    let books = 0;
    for (const [team, documents] of [
      ['bank', bank],
      ['shop', shop],
      ['changed', bank],
    ] as const) {
      const output = await workspace.readOutput(`out-${team}`);
      expectBalanced(
        output,
        documents.map(({ id }) => id),
      );
      expect(output.errors).toEqual([]);
      books += usdToNano(output.manifest.costUsd);
    }
    // Every reply that left is in the books once; calls that died with their worker were never billed.
    expect(books).toBe(model.billNano);
  },
  600_000,
);

/** Has a worker write one that knows of everything so far. */
async function checkpoint(workspace: Workspace): Promise<void> {
  const client = await redis.connect();
  for (const turn of await client.keys('*checkpoint-turn')) await client.del(turn);
  const asked = Date.now();
  const folder = workspace.path('real/checkpoints');
  const at = () => {
    const bytes = readFileSync(`${folder}/${readdirSync(folder)[0] ?? ''}`);
    return (JSON.parse(gunzipSync(bytes).toString()) as { at: number }).at;
  };
  await expect.poll(() => readable(at), { timeout: LONGEST_WAIT_MS }).toBeGreaterThan(asked);
}

/** 0 while it is not there. */
function readable(read: () => number): number {
  try {
    return read();
  } catch {
    return 0;
  }
}
