import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { MemoryStore } from '../../src/adapters/memory-store/memory-store.ts';
import { systemClock } from '../../src/adapters/system/system-clock.ts';
import { keepProbe } from '../../src/bills/probe-records.ts';
import { type ReconcileRequest, reconcileBill } from '../../src/bills/reconcile-bill.ts';
import { reconcileLines } from '../../src/cli/format-reconcile.ts';
import { NO_USAGE } from '../../src/money/usage.ts';
import { addToPowerBook } from '../../src/providers/power-book.ts';
import { storeKeys } from '../../src/store/store-keys.ts';
import { Cluster } from '../adapters/redis/fixture.ts';
import { commitOf, replyOf, ticketOf } from '../contract/cluster.ts';
import { type RedisServer, startRedisServer } from '../helpers/redis-server.ts';
import { makeTemporaryFolder } from '../helpers/temporary-folder.ts';

const MODEL = 'small-2026-01-01';
const AT = '2026-03-01T12:00:00Z';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(async () => {
  await server.stop();
});

async function open() {
  const cluster = new Cluster(await server.connect());
  onTestFinished(() => cluster.stop());
  const { ledger } = await cluster.worker();
  const store = new MemoryStore();
  const folder = await makeTemporaryFolder();
  onTestFinished(() => folder[Symbol.asyncDispose]());
  const context = {
    batches: cluster.batches,
    ledger,
    store,
    clock: { ...systemClock, now: () => Date.parse(AT), monotonic: () => 0 },
  };

  /** A queued batch whose model `small` is the provider's `small-2026-01-01`. */
  const batch = async (slices = 1) => {
    const batchId = await cluster.queuedBatch(slices);
    const workflow = {
      name: 'triage',
      cascade: [{ model: { name: 'local', id: 'local' } }, { model: { name: 'small', id: MODEL } }],
    };
    await store.put(storeKeys.submission(batchId), Buffer.from(JSON.stringify({ batchId, workflow })));
    return batchId;
  };

  /** One finished call: 100 input and 2 output tokens. */
  const pay = async (batchId: string, slice: number, cost: number) => {
    const ticket = ticketOf(await cluster.claim(batchId, slice), cost);
    await ledger.admit(ticket);
    await ledger.settle(ticket, replyOf(cost));
    return ticket.claim;
  };

  const lose = async (batchId: string, slice: number, hold: number) => {
    const ticket = ticketOf(await cluster.claim(batchId, slice), hold);
    await ledger.admit(ticket);
    await ledger.settle(ticket, { kind: 'uncertain', reason: 'a reset connection' });
  };

  const manifest = async (batchId: string, costUsd: string, uncertainUsd?: string, digest?: object) => {
    const list =
      uncertainUsd === undefined
        ? []
        : [{ callId: 'c', model: 'small', slice: 0, costUsd: JSON.rawJSON(uncertainUsd) }];
    const usage = { ...NO_USAGE, inputTokens: 100, outputTokens: 2 };
    const byModel = [
      { model: 'local', tier: 0, calls: 9, usage: NO_USAGE, costUsd: 0 },
      { model: 'small', tier: 1, calls: 1, usage, costUsd: JSON.rawJSON(costUsd) },
    ];
    const text = JSON.stringify({ createdAt: AT, finishedAt: AT, cost: { byModel, uncertain: { list } }, digest });
    await store.put(storeKeys.manifest(batchId), Buffer.from(text));
  };

  const reconcile = async (bill: string | Uint8Array, request: Partial<ReconcileRequest> = {}) => {
    const path = join(folder.path, 'bill');
    await writeFile(path, bill);
    return await reconcileBill(context, { bill: path, columns: {}, ...request });
  };
  return { cluster, ledger, store, batch, pay, lose, manifest, reconcile };
}

function line(costNanoUsd: number, more: object = {}): string {
  const tokens = { inputTokens: 100, cachedInputTokens: 0, outputTokens: 2 };
  return JSON.stringify({ at: AT, model: MODEL, ...tokens, costNanoUsd, ...more });
}

const bill = (...lines: string[]) => `${lines.join('\n')}\n`;

describe('reconcileBill()', () => {
  test('explains a finished batch whose manifest, ledger and bill agree, with its uncertain call', async () => {
    const { batch, pay, lose, manifest, reconcile } = await open();
    const batchId = await batch();
    await pay(batchId, 0, 61_950);
    await lose(batchId, 0, 70_000);
    await manifest(batchId, '0.00006195', '0.00007');
    const report = await reconcile(bill(line(61_950), line(60_000)));
    expect(report).toMatchObject({ isExplained: true, total: { explained: 60_000, unexplained: 0 } });
    expect(report.models.map(({ name }) => name)).toEqual([MODEL]);
    expect(report.batches).toEqual([
      { batchId, source: 'manifest', isOpen: false, isCut: false, booked: 131_950, ledger: 131_950, agrees: true },
    ]);
    const over = await reconcile(bill(line(61_950), line(60_000), line(60_000)));
    expect(over).toMatchObject({ isExplained: false, total: { explained: 70_000, unexplained: 50_000 } });
  });

  test('fails where a manifest is not its ledger, though the bill fits the manifest', async () => {
    const { batch, pay, manifest, reconcile } = await open();
    const batchId = await batch();
    await pay(batchId, 0, 61_950);
    await manifest(batchId, '0.00006');
    const report = await reconcile(bill(line(60_000)));
    expect(report.total.isExplained).toBe(true);
    expect(report.isExplained).toBe(false);
    expect(report.batches[0]).toMatchObject({ booked: 60_000, ledger: 61_950, agrees: false });
  });

  test('reads a batch at work from its committed slices, the journals of the others and its uncertain calls', async () => {
    const { cluster, batch, pay, lose, reconcile } = await open();
    const batchId = await batch(3);
    const claim = await pay(batchId, 0, 1_000);
    const models = [
      {
        model: 'small',
        tier: 1,
        calls: 1,
        accepted: 1,
        usage: { ...NO_USAGE, inputTokens: 100, outputTokens: 2 },
        cost: 1_000,
      },
    ];
    const commit = commitOf(claim.token, { models, cost: 1_000, journalEntries: 1 });
    expect(await cluster.batches.commitSlice(batchId, 0, claim.token, commit)).toMatchObject({ kind: 'committed' });
    await pay(batchId, 1, 500);
    await lose(batchId, 2, 300);
    const report = await reconcile(bill(line(1_000), line(500), line(200)));
    expect(report.batches).toMatchObject([{ source: 'ledger', isOpen: true, booked: 1_800, ledger: 1_800 }]);
    expect(report).toMatchObject({ isExplained: true, total: { ours: { calls: 2, cost: 1_500 }, explained: 200 } });
  });

  test('compares only the batches and the lines that are asked for', async () => {
    const { batch, pay, manifest, reconcile } = await open();
    const [first, second] = [await batch(), await batch()];
    for (const batchId of [first, second]) {
      await pay(batchId, 0, 1_000);
      await manifest(batchId, '0.000001');
    }
    const lines = bill(line(1_000), line(1_000, { at: '2026-03-05T00:00:00Z' }));
    expect((await reconcile(lines)).isExplained).toBe(true);
    expect((await reconcile(lines, { batchIds: [first] })).total.unexplained).toBe(1_000);
    const until = Date.parse('2026-03-02');
    const cut = await reconcile(lines, { batchIds: [first], until });
    expect(cut).toMatchObject({ isExplained: true, bill: { lines: 2, outside: 1 } });
    expect((await reconcile(lines, { workflow: 'other' })).batches).toEqual([]);
    expect((await reconcile(lines, { since: Date.parse('2026-04-01') })).total.theirs.lines).toBe(0);
    await expect(reconcile(lines, { batchIds: ['nope'] })).rejects.toMatchObject({ code: 'batch_unknown' });
  });

  test('a probe of a provider is among ours, unless only some batches are compared', async () => {
    const { batch, pay, manifest, reconcile, store } = await open();
    const batchId = await batch();
    await pay(batchId, 0, 1_000);
    await manifest(batchId, '0.000001');
    const probe = { at: Date.parse(AT), provider: 'acme', model: MODEL, calls: 1, cost: 500 };
    const usage = { ...NO_USAGE, inputTokens: 100, outputTokens: 2 };
    await keepProbe(store, { ...probe, id: 'doctor-1', usage, uncertainCalls: 0, uncertainCost: 0 });
    const lines = bill(line(1_000), line(500));
    expect(await reconcile(lines)).toMatchObject({ isExplained: true, probes: { calls: 1, cost: 500 } });
    const some = await reconcile(lines, { batchIds: [batchId] });
    expect(some).toMatchObject({ probes: { calls: 0, cost: 0 }, total: { unexplained: 500 } });
  });

  test('the time of own servers is told beside the bill, of the batches, workflows and days that are compared', async () => {
    const { batch, pay, manifest, reconcile, store } = await open();
    const batchId = await batch();
    await pay(batchId, 0, 1_000);
    await manifest(batchId, '0.000001');
    const share = { provider: 'gpu', workflow: 'triage', ms: 60_000, cost: 20 };
    const other = { provider: 'old', workflow: 'other', ms: 60_000 };
    await addToPowerBook(store, 'gpu', Date.parse(AT), [{ ...share, batch: batchId }, share]);
    await addToPowerBook(store, 'old', Date.parse(AT), [other]);
    const told = async (request: Partial<ReconcileRequest>) => {
      const report = await reconcile(bill(line(1_000)), request);
      expect(report.isExplained).toBe(true);
      return report;
    };
    const all = await told({});
    expect(all.servers).toEqual([
      { provider: 'gpu', ms: 120_000, cost: 40 },
      { provider: 'old', ms: 60_000 },
    ]);
    expect(reconcileLines(all)).toContain('server    gpu: 2 min, $0.000000040, in the books of its days and months;');
    expect(reconcileLines(all)).toContain('server    old: 1 min, cost NOT KNOWN');
    expect((await told({ workflow: 'triage' })).servers).toEqual([{ provider: 'gpu', ms: 120_000, cost: 40 }]);
    expect((await told({ batchIds: [batchId] })).servers).toEqual([{ provider: 'gpu', ms: 60_000, cost: 20 }]);
    expect((await reconcile(bill(), { since: Date.parse('2026-04-01') })).servers).toEqual([]);
  });

  test('the digest of a batch is among ours, and not in the books of its rows', async () => {
    const { batch, pay, manifest, reconcile } = await open();
    const batchId = await batch();
    await pay(batchId, 0, 1_000);
    const usage = { ...NO_USAGE, inputTokens: 100, outputTokens: 2 };
    const spent = { model: 'small', calls: 1, usage, costUsd: 0.0000005, uncertainCalls: 1, uncertainUsd: 0.0000002 };
    await manifest(batchId, '0.000001', undefined, { byModel: [spent] });
    const report = await reconcile(bill(line(1_000), line(500), line(200)));
    expect(report).toMatchObject({ isExplained: true, batches: [{ agrees: true, booked: 1_000 }] });
  });

  test('reads a batch of which Redis knows nothing any more from its manifest', async () => {
    const { cluster, batch, manifest, reconcile } = await open();
    const batchId = await batch();
    await manifest(batchId, '0.000001');
    await cluster.batches.deleteDraft(batchId);
    const report = await reconcile(bill(line(1_000)), { batchIds: [batchId] });
    expect(report.isExplained).toBe(true);
    expect(report.batches[0]).not.toHaveProperty('ledger');
  });

  test.each([
    ['CSV', `\uFEFFusage_date_utc,model,cost_usd\n2026-03-01,"${MODEL}",0.000001\n`],
    ['CSV with semicolons and line ends of Windows', `date;model;cost\r\n2026-03-01;${MODEL};0.000001\r\n\r\n`],
    ['gzip', gzipSync(line(1_000))],
    ['JSON Lines with an empty line', `\n${line(1_000)}\n\n`],
    [
      'a page of a usage API',
      JSON.stringify({ data: [{ start_time: 1772366400, results: [{ model: MODEL, cost: 0.000001 }] }] }),
    ],
  ])('reads a bill that is %s', async (_, content) => {
    const { batch, pay, manifest, reconcile } = await open();
    const batchId = await batch();
    await pay(batchId, 0, 1_000);
    await manifest(batchId, '0.000001');
    const report = await reconcile(content);
    expect(report).toMatchObject({ isExplained: true, bill: { lines: 1 }, total: { theirs: { cost: 1_000 } } });
    expect(report.days.map(({ name }) => name)).toEqual(['2026-03-01']);
  });

  test.each([
    ['{"model":\n', 'line 1: it is not one JSON object on one line'],
    [`${line(1)}\n${line(1, { costNanoUsd: 'much' })}`, 'line 2: costNanoUsd must be a whole number, is "much"'],
    ['model,cost\na,1\nb,x\n', 'line 3: cost must be decimal dollars, is "x"'],
    ['model,cost\na,1,2\n', 'line 2 as CSV: It has 3 fields and the header 2'],
    ['model,cost\na,1\n"b,2\n', 'line 3 as CSV: A quote (") is opened and never closed'],
    ['id,text\na,b\n', 'it has not a column that says the model. Its columns: id, text.'],
  ])('refuses the bill %j and says where and why', async (content, message) => {
    const { reconcile } = await open();
    await expect(reconcile(content)).rejects.toThrow(message);
  });

  test('needs times for --since, and names the missing column', async () => {
    const { reconcile } = await open();
    await expect(reconcile('model,cost\na,1\n', { since: 0 })).rejects.toThrow(
      'the time, which --since and --until need',
    );
  });
});
