import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Redis } from 'ioredis';
import { RedisBatchRegistry } from '../../../src/adapters/redis/batches.ts';
import { connectRedis } from '../../../src/adapters/redis/connect.ts';
import { RedisKeys } from '../../../src/adapters/redis/keys.ts';
import { RedisLedger } from '../../../src/adapters/redis/ledger.ts';
import { runScript, script } from '../../../src/adapters/redis/scripts/run-script.ts';
import { WorkerLease } from '../../../src/adapters/redis/worker-lease.ts';
import type { JournalEntry } from '../../../src/ledger/journal-entry.ts';
import { scopesOf } from '../../../src/ledger/scope.ts';
import { MAX_NANO_USD } from '../../../src/money/money.ts';
import { NO_USAGE } from '../../../src/money/usage.ts';

/** What one process of the benchmark does; sent as its first message. */
export interface ClientTask {
  readonly url: string;
  readonly mode: 'ledger' | 'bare';
  /** Each with its own lease and batch, as one worker process has. */
  readonly connections: number;
  readonly inFlight: number;
  /** Per connection. */
  readonly calls: number;
  readonly replyBytes: number;
}

export interface ClientResult {
  readonly calls: number;
  readonly cpuMs: number;
  readonly wallMs: number;
}

const WARM_UP_CALLS = 4_000;
const CALLS_PER_SLICE = 500;
const LEASE_MS = 60_000;
const TIMEZONES = { workflow: 'Europe/Berlin', global: 'UTC' };
const BARE = script('return 1');

type Call = () => Promise<void>;

const message = once(process, 'message');
process.send?.('listening');
const task: ClientTask = (await message)[0];
const connections = await Promise.all(
  Array.from({ length: task.connections }, async () => await connectRedis({ url: task.url })),
);
const callers: readonly Call[] =
  task.mode === 'bare' ? connections.map(bareCaller) : await Promise.all(connections.map(ledgerCaller));
await Promise.all(callers.map((call) => repeat(call, Math.min(WARM_UP_CALLS, task.calls))));
const go = once(process, 'message');
process.send?.('ready');
await go;
const cpu = process.cpuUsage();
const startedAt = performance.now();
await Promise.all(callers.map((call) => repeat(call, task.calls)));
const wallMs = performance.now() - startedAt;
const { user, system } = process.cpuUsage(cpu);
const result: ClientResult = { calls: task.calls * task.connections, cpuMs: (user + system) / 1_000, wallMs };
process.send?.(result, () => process.exit());

async function repeat(call: Call, calls: number): Promise<void> {
  let left = calls;
  const one = async () => {
    while (left-- > 0) await call();
  };
  await Promise.all(Array.from({ length: task.inFlight }, one));
}

/** Admission and settlement of one call as a worker makes them, in all five scopes. */
async function ledgerCaller(redis: Redis): Promise<Call> {
  const keys = new RedisKeys('bench');
  const lease = new WorkerLease(redis, keys, LEASE_MS);
  await lease.start();
  const ledger = new RedisLedger(redis, keys, lease);
  const batches = new RedisBatchRegistry(redis, keys);
  const owner = { batchId: `bench-${randomUUID()}`, workflow: 'triage' };
  const slices = Math.ceil((Math.min(WARM_UP_CALLS, task.calls) + task.calls) / CALLS_PER_SLICE);
  await batches.create({
    ...owner,
    priority: 0,
    createdAt: Date.now(),
    contentHash: '',
    sliceDocuments: CALLS_PER_SLICE,
    sliceTokens: 1_000_000,
  });
  await batches.queue(owner.batchId, { documents: slices * CALLS_PER_SLICE, inputTokens: 0, slices });
  const tokens = await Promise.all(
    Array.from({ length: slices }, async (_, slice) => {
      const claimed = await batches.claimSlice(owner.batchId, slice);
      return claimed.kind === 'owned' ? claimed.token : '';
    }),
  );
  const entry: JournalEntry = {
    document: 17,
    model: 'small',
    tier: 1,
    reply: { text: 'x'.repeat(task.replyBytes), finish: 'stop' },
    usage: { ...NO_USAGE, inputTokens: 620, outputTokens: 75 },
    cost: 138_000,
    durationMs: 812,
  };
  // As in production every scope has a limit, which no call reaches.
  for (const { name } of scopesOf(owner, Date.now(), TIMEZONES)) await ledger.setLimit(name, MAX_NANO_USD);
  const claims = tokens.map((token, slice) => ({ ...owner, slice, token, timezones: TIMEZONES }));
  let calls = 0;
  return async () => {
    const number = calls++;
    const claim = claims[Math.floor(number / CALLS_PER_SLICE)];
    if (claim === undefined) throw new RangeError('There is no slice for the call');
    const ticket = {
      claim,
      callId: randomUUID(),
      callKey: number.toString(16).padStart(64, '0'),
      model: 'small',
      hold: 400_000,
      scopes: scopesOf(claim, Date.now(), TIMEZONES),
    };
    const admission = await ledger.admit(ticket);
    const settlement =
      admission.kind === 'admitted' ? await ledger.settle(ticket, { kind: 'reply', entry }) : admission;
    if (settlement.kind !== 'settled') throw new Error(`A call was ${settlement.kind}`);
  };
}

/** Two scripts that do nothing, with as many keys and arguments, of the same sizes. */
function bareCaller(redis: Redis): Call {
  const key = (length: number) => `{bench}:${'k'.repeat(length)}`;
  const scopes = [47, 34, 32, 27, 26].map(key);
  const admission = {
    keys: [key(8), key(48), key(40), key(52), key(7), ...scopes],
    args: ['w'.repeat(30), 17, '1', 'c'.repeat(36), 'k'.repeat(64), 400_000, 'h'.repeat(60), ...scopes],
  };
  const settlement = {
    keys: [key(48), key(40), key(52), key(52), ...scopes],
    args: [
      17,
      '1',
      'c'.repeat(36),
      'k'.repeat(64),
      'reply',
      138_000,
      'e'.repeat(task.replyBytes + 220),
      'u'.repeat(70),
    ],
  };
  return async () => {
    await runScript(redis, BARE, admission.keys, admission.args);
    await runScript(redis, BARE, settlement.keys, settlement.args);
  };
}
