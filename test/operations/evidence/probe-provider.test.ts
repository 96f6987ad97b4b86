import { describe, expect, it } from 'vitest';
import { probeUsages } from '../../../src/bills/probe-records.ts';
import { probeProvider } from '../../../src/operations/evidence/probe-provider.ts';
import { ModelCallError } from '../../../src/providers/failure.ts';
import type { ModelReply, ModelRequest } from '../../../src/providers/model-client.ts';
import { GLOBAL_DAY } from '../../contract/cluster.ts';
import { MemoryApp, replyWith, SMALL } from '../../helpers/memory/memory-app.ts';

const CAPABILITIES = { structuredOutput: 'prompt', logprobs: false, maxTokensField: 'max_tokens' };

async function open(answer: (request: ModelRequest) => ModelReply = () => replyWith('{"verdict":"yes"}')) {
  const memory = await MemoryApp.open();
  const requests: ModelRequest[] = [];
  const closed: string[] = [];
  const app = {
    slices: memory.slices,
    ledger: memory.ledger,
    store: memory.store,
    clock: memory.clock,
    log: memory.log,
    config: { workflows: new Map(), timezone: 'UTC', worker: { providerPatienceMs: 1_000 } },
    lease: { hold: async () => ({ [Symbol.asyncDispose]: async () => {} }) },
    owners: {
      open: async () => memory.cluster.claim(await memory.cluster.queuedBatch()),
      close: async ({ batchId }: { batchId: string }) => closed.push(batchId) > 0,
    },
  };
  const probe = async () =>
    await probeProvider(app as never, {
      provider: { name: 'acme', baseUrl: 'http://acme', timeoutMs: 1_000, capabilities: CAPABILITIES } as never,
      model: SMALL,
      client: {
        call: async (request) => {
          requests.push(request);
          return answer(request);
        },
        close: async () => {},
      },
      signal: new AbortController().signal,
    });
  return { memory, requests, closed, probe };
}

describe('probeProvider()', () => {
  it('books its call in the global scopes, reports the reply as it came and leaves a record for bills', async () => {
    const { memory, probe, closed } = await open(() =>
      replyWith('{"verdict":"yes"}', { rateLimitHeaders: { 'x-limit': '5' }, rawUsage: { prompt_tokens: 100 } }),
    );
    const report = await probe();
    // 100 input and 10 output tokens.
    expect(report).toMatchObject({
      costNano: 21_000,
      rateLimitHeaders: { 'x-limit': '5' },
      rawUsage: { prompt_tokens: 100 },
    });
    expect(report.checks.filter(({ state }) => state === 'failed')).toEqual([]);
    const day = new Date(memory.clock.now()).toISOString().slice(0, 10);
    expect(await memory.ledger.totals({ ...GLOBAL_DAY, period: day })).toMatchObject({ settled: 21_000, held: 0 });
    expect(await probeUsages(memory.store, {})).toMatchObject([{ model: 'small-1', calls: 1, cost: 21_000 }]);
    expect(await probeUsages(memory.store, { until: memory.clock.now() })).toEqual([]);
    expect(closed).toHaveLength(1);
  });

  it('asks nobody where a limit has no room', async () => {
    const { memory, requests, probe } = await open();
    await memory.ledger.setLimit('global/day', 1);
    await expect(probe()).rejects.toThrow(
      /the limit of global\/day has no room .*nightmill budget set global\/day USD/,
    );
    expect(requests).toEqual([]);
    expect(await probeUsages(memory.store, {})).toEqual([]);
  });

  it('books what may have been billed as uncertain, and what was refused at nothing', async () => {
    const failing = (billing: 'none' | 'unknown') => () => {
      throw new ModelCallError('It failed.', { failure: 'connection_lost', billing });
    };
    const lost = await open(failing('unknown'));
    expect((await lost.probe()).checks).toMatchObject([{ state: 'failed' }]);
    expect(await probeUsages(lost.memory.store, {})).toMatchObject([{ calls: 0, uncertainCalls: 1 }]);
    const refused = await open(failing('none'));
    await refused.probe();
    expect(await probeUsages(refused.memory.store, {})).toEqual([]);
  });
});
