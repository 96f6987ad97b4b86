import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { aofFiles } from '../test/chaos/append-only-file.ts';
import { Cli, runCli } from '../test/helpers/cli.ts';
import { HttpModel } from '../test/helpers/http-model.ts';
import { startRedisServer } from '../test/helpers/redis-server.ts';

/**
 * `node scripts/record-night.ts`: what this build leaves in Redis and in the store when its only worker
 * dies in the middle of a night, as `test/fixtures/recorded-night/night.tar.gz`. Run it when a release is made:
 * `test/e2e/recorded-night.test.ts` then holds the next build to it. The documents are invented.
 */
const HERE = fileURLToPath(new URL('../test/fixtures/recorded-night/', import.meta.url));
const MOST_BYTES = 300_000;
const SIZES = { ended: 6, held: 12, running: 24, waiting: 4 };

const folder = mkdtempSync(join(tmpdir(), 'nm-record-'));
await using model = await HttpModel.start();
await using redis = await startRedisServer(['--appendonly', 'yes', '--aof-use-rdb-preamble', 'no', '--dir', folder]);
const yaml = readFileSync(`${HERE}nightmill.yaml`, 'utf8');
writeFileSync(join(folder, 'nightmill.yaml'), yaml.replace('{{MODEL}}', model.url).replace('{{REDIS}}', redis.url));
for (const [name, count] of Object.entries(SIZES)) {
  const lines = Array.from({ length: count }, (_, index) =>
    JSON.stringify({ id: `${name}-${index}`, text: `Ticket ${name} ${index}: order ${index * 7} fails to open.` }),
  );
  writeFileSync(join(folder, `${name}.jsonl`), `${lines.join('\n')}\n`);
}

async function nightmill(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runCli(folder, args, { ownProcess: true });
  if (code !== 0) throw new Error(`nightmill ${args.join(' ')} ended with ${code}:\n${stderr}`);
  return stdout;
}

async function statusWhen(batch: string, holds: (status: { state: string; heldUsd: number }) => boolean) {
  while (!holds(JSON.parse(await nightmill('status', batch, '--json')))) await delay(200);
}

const worker = new Cli(folder, ['worker']);
await worker.prints(/worker:started/);
await nightmill('budget', 'set', 'workflow:triage/month', '5');
await nightmill('key', 'create', '--name', 'team', '--rights', 'read');
await nightmill('submit', 'ended.jsonl', '-w', 'triage', '--id', 'ended', '--wait');
await nightmill('submit', 'held.jsonl', '-w', 'triage', '--id', 'held', '--budget', '0.0003');
await statusWhen('held', ({ state, heldUsd }) => state === 'paused' && heldUsd === 0);
const paidOfHeld = model.calls.length - SIZES.ended;
// Four calls are in flight, some slices are committed, and some replies are paid for and in no row.
model.holdAfter(10);
await nightmill('submit', 'running.jsonl', '-w', 'triage', '--id', 'running');
await model.until(() => model.count('waiting') === 4);
const paidOfRunning = model.calls.length - SIZES.ended - paidOfHeld - 4;
worker.kill('SIGKILL');
await worker.exited;
await nightmill('submit', 'waiting.jsonl', '-w', 'digest', '--id', 'waiting');

const client = await redis.connect();
await client.bgrewriteaof();
do await delay(100);
while (!(await client.info('persistence')).includes('aof_rewrite_in_progress:0'));
await redis.kill();
const [base] = aofFiles(folder);
if (base === undefined) throw new Error('Redis has written no append-only file');
const made = mkdtempSync(join(tmpdir(), 'nm-recorded-'));
copyFileSync(base, join(made, 'redis.aof'));
cpSync(join(folder, 'store'), join(made, 'store'), { recursive: true });
const facts = { sizes: SIZES, paidOfHeld, paidOfRunning, billNano: model.billNano };
writeFileSync(join(made, 'facts.json'), `${JSON.stringify(facts, null, 2)}\n`);
execFileSync('tar', ['czf', `${HERE}night.tar.gz`, '-C', made, '.']);
for (const path of [made, folder]) rmSync(path, { recursive: true, force: true });
const { size } = statSync(`${HERE}night.tar.gz`);
console.log(`night.tar.gz: ${size} bytes, ${JSON.stringify(facts)}`);
if (size > MOST_BYTES) throw new Error(`The record is larger than ${MOST_BYTES} bytes`);
process.exit(0);
