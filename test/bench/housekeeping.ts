import { writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { loadConfig } from '../../config/load.ts';
import { type App, openApp } from '../../src/app.ts';
import { keepHouse } from '../../src/operations/keep-house.ts';
import { startWorker } from '../../src/worker/start-worker.ts';
import { startTcpRedis } from '../helpers/tcp-redis.ts';
import { makeTemporaryFolder } from '../helpers/temporary-folder.ts';
import { printSetting, printTable } from './helpers/table.ts';

export const summary = 'Redis commands per second of idle workers beside a thousand paused batches, with a schedule';

const BATCHES = 1_000;
const WORKERS = 20;
const MEASURED_MS = 20_000;
const SETTLE_MS = 5_000;
const SCHEDULE = 'schedule: { cron: "0 1 * * *", input: inbox }';
const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

export async function run(): Promise<void> {
  printSetting(`Housekeeping: commands counted over ${MEASURED_MS / 1_000} s.`);
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startTcpRedis());
  const folder = stack.use(await makeTemporaryFolder('bench'));
  await writeFile(
    `${folder.path}/nightmill.yaml`,
    `redis: ${redis.url}\nworkflows: { mail: { task: summarize, cascade: [{ model: local }], ${SCHEDULE} } }\n`,
  );
  const config = loadConfig({ env: {}, cwd: folder.path });
  const apps: App[] = [];
  for (let index = 0; index < WORKERS; index += 1) {
    apps.push(stack.use(await openApp({ config, log: SILENT, announce: () => {}, searchPath: undefined })));
  }
  const [first] = apps;
  if (first !== undefined) for (let index = 0; index < BATCHES; index += 1) await addPaused(first, `b${index}`);
  for (const app of apps) {
    const worker = await startWorker(app, ['mail']);
    const stop = new AbortController();
    const beside = keepHouse(app, ['mail'], stop.signal);
    stack.defer(async () => {
      stop.abort();
      await beside;
      await worker.stop();
    });
  }
  const client = stack.adopt(new Redis(redis.url), (opened) => opened.disconnect());
  const commands = async () => Number(/total_commands_processed:(\d+)/.exec(await client.info('stats'))?.[1]);
  await delay(SETTLE_MS);
  const [before, from] = [await commands(), performance.now()];
  await delay(MEASURED_MS);
  const rate = ((await commands()) - before) / ((performance.now() - from) / 1_000);
  printTable({
    caption: 'Redis commands a second of idle workers, those inside scripts included',
    rows: [
      ['workers', 'paused batches', 'schedules', 'commands/s'],
      [String(WORKERS), BATCHES.toLocaleString('en'), '1', Math.round(rate).toLocaleString('en')],
    ],
  });
}

async function addPaused({ batches, ledger }: App, batchId: string): Promise<void> {
  const sizes = { sliceDocuments: 10, sliceTokens: 1_000 };
  await batches.create({
    batchId,
    workflow: 'mail',
    priority: 0,
    createdAt: Date.now(),
    contentHash: batchId,
    ...sizes,
  });
  await batches.queue(batchId, { documents: 10, inputTokens: 1_000, slices: 1 });
  await ledger.setLimit(`batch:${batchId}`, 1);
  const scope = `batch:${batchId}`;
  await batches.pauseBatch(batchId, {
    cause: 'budget',
    reason: 'too small',
    since: Date.now(),
    scope,
    limit: 1,
    needed: 2,
  });
}
