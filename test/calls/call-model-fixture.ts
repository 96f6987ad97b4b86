import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { createOpenAiClient } from '../../src/adapters/openai-compatible/client.ts';
import { systemClock } from '../../src/adapters/system/system-clock.ts';
import { type Call, routeTo } from '../../src/calls/call.ts';
import type { CallModelContext } from '../../src/calls/call-context.ts';
import { SliceRun } from '../../src/calls/slice-run.ts';
import { StopError } from '../../src/calls/stop.ts';
import type { PoolLimits } from '../../src/ledger/pool-limits.ts';
import { PromptPrefixes } from '../../src/providers/prompt-prefixes.ts';
import { ProviderGate } from '../../src/providers/provider-gate.ts';
import { Pools } from '../../src/quota/pools.ts';
import { InputRatios } from '../../src/quota/token-ratios.ts';
import type { ModelRequest } from '../../src/requests/model-request.ts';
import type { ModelSpec } from '../../src/workflows/workflow.ts';
import { Cluster, type TestWorker } from '../adapters/redis/fixture.ts';
import { HttpModel, MODEL_PRICES } from '../helpers/http-model.ts';
import { type RedisServer, startRedisServer } from '../helpers/redis-server.ts';

/** Two providers, a cluster on a Redis of its own, and what a call needs; all is new for each test of the file that imports it. */

export const PATIENCE_MS = 1_500;

let server: RedisServer;
export let cluster: Cluster;
export let primary: HttpModel;
export let backup: HttpModel;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  cluster = new Cluster(await server.connect());
  primary = await HttpModel.start();
  backup = await HttpModel.start();
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await primary[Symbol.asyncDispose]();
  await backup[Symbol.asyncDispose]();
  await cluster.stop();
});

export function modelOf(provider: string): ModelSpec {
  return {
    name: `small-${provider}`,
    provider,
    pool: provider,
    id: 'small-2026-01-01',
    contextTokens: 32_768,
    maxOutputTokens: 100,
    price: MODEL_PRICES['small-2026-01-01']!,
    structuredOutput: 'prompt',
    logprobs: false,
  };
}

export function gateOf(name: string, url: string, concurrency: number, hasPromptCache = false): ProviderGate {
  const client = createOpenAiClient({
    name,
    baseUrl: url,
    timeoutMs: 10_000,
    capabilities: {
      maxTokensField: 'max_tokens',
      structuredOutput: 'prompt',
      logprobs: false,
      temperature: true,
      promptCache: 'none',
      reasoning: 'effort',
    },
  });
  closing.push(() => client.close());
  return new ProviderGate({
    name,
    client,
    concurrency,
    outageToleranceMs: PATIENCE_MS,
    clock: systemClock,
    hasPromptCache,
  });
}

interface Setting {
  readonly context: CallModelContext;
  readonly slice: SliceRun;
  readonly worker: TestWorker;
  /** Calls with the text go to `primary`, and to `backup` where that is named. */
  readonly call: (text: string, providers?: readonly string[]) => Call;
}

export async function setUp(
  options: {
    readonly limits?: ReadonlyMap<string, PoolLimits>;
    readonly urls?: Readonly<Record<string, string>>;
    readonly concurrency?: number;
    readonly hasPromptCache?: boolean;
  } = {},
): Promise<Setting> {
  const { claim, ...worker } = await cluster.workerWithSlice();
  const urls = { primary: primary.url, backup: backup.url, ...options.urls };
  const slice = new SliceRun(claim, new Map());
  const context: CallModelContext = {
    ledger: worker.ledger,
    providers: new Map(
      Object.entries(urls).map(([name, url]) => [
        name,
        gateOf(name, url, options.concurrency ?? 8, options.hasPromptCache),
      ]),
    ),
    pools: new Pools({
      limits: options.limits ?? new Map(),
      ledger: worker.ledger,
      clock: systemClock,
      random: Math.random,
    }),
    prefixes: new PromptPrefixes(systemClock),
    clock: systemClock,
    ratios: new InputRatios(),
    random: () => 0,
    newId: randomUUID,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    maxAttempts: 5,
  };
  const call = (text: string, providers: readonly string[] = ['primary', 'backup']): Call => {
    const request: ModelRequest = {
      modelId: 'small-2026-01-01',
      messages: [{ role: 'user', content: text }],
      maxOutputTokens: 50,
    };
    const [first = 'primary', ...others] = providers;
    return {
      owner: slice,
      document: 0,
      tier: 0,
      routes: [routeTo(modelOf(first), request), ...others.map((name) => routeTo(modelOf(name), request))],
    };
  };
  return { context, slice, worker, call };
}

export const outage = () => ({ status: 503, error: { message: 'overloaded' } });
export const DEAD = 'http://127.0.0.1:9';

export async function reasonOf(promise: Promise<unknown>) {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(StopError);
  return (error as StopError).reason;
}
