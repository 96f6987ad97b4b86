import { describe, expect, test } from 'vitest';
import { type Call, routeTo } from '../../src/calls/call.ts';
import type { CallModelContext } from '../../src/calls/call-context.ts';
import { callModel } from '../../src/calls/call-model.ts';
import { SliceRun } from '../../src/calls/slice-run.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { ModelCallError } from '../../src/providers/failure.ts';
import type { ModelReply } from '../../src/providers/model-client.ts';
import { PromptPrefixes } from '../../src/providers/prompt-prefixes.ts';
import { ProviderGate } from '../../src/providers/provider-gate.ts';
import { Pools } from '../../src/quota/pools.ts';
import type { Spread } from '../../src/workflows/workflow.ts';
import { labelReply, MemoryApp, SMALL } from '../helpers/memory/memory-app.ts';
import { VirtualClock } from '../helpers/memory/virtual-clock.ts';

const PER_MINUTE = 120;
const CALL_MS = 300;
const BURST_MS = 400;
/** As the cluster's bucket paces them: a hundredth under the limit. */
const PACE_MS = 60_000 / (PER_MINUTE * 0.99);
const NAMES = ['first', 'second'] as const;

type Name = (typeof NAMES)[number];

/** A host that refuses what goes beyond 120 calls per minute with a second of burst, as strict providers do. */
class StrictHost {
  readonly sentAt: number[] = [];
  refusals = 0;
  /** How it answers from a moment on. */
  answer: (() => Promise<ModelReply>) | undefined;
  #fullAt = 0;

  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  async call(): Promise<ModelReply> {
    const now = this.#clock.now();
    if (this.#fullAt - now > 1_000) {
      this.refusals += 1;
      throw new ModelCallError('too fast', {
        failure: 'rate_limited',
        billing: 'none',
        status: 429,
        retryAfterMs: 1_000,
      });
    }
    this.#fullAt = Math.max(this.#fullAt, now) + 60_000 / PER_MINUTE;
    this.sentAt.push(now);
    if (this.answer !== undefined) return await this.answer();
    await this.#clock.sleep(CALL_MS);
    return { ...labelReply('bug'), durationMs: CALL_MS };
  }
}

/** The books of the memory cluster with the pace of the real one. */
function paced(ledger: Ledger, clock: VirtualClock): Ledger {
  const full = new Map<string, number>();
  const asked = new Map<string, number>();
  return new Proxy(ledger, {
    get(target, name) {
      if (name === 'admit') {
        return async (ticket: Parameters<Ledger['admit']>[0]) => {
          const [pool, now] = [ticket.quota?.pool ?? '', clock.now()];
          const waitMs = (asked.get(pool) ?? 0) - now;
          if (waitMs > BURST_MS) return { kind: 'wait', why: 'asked', waitMs };
          const fullAt = full.get(pool) ?? 0;
          if (fullAt > now + BURST_MS) return { kind: 'wait', why: 'rate', waitMs: fullAt - now - BURST_MS / 2 };
          const start = Math.max(now, fullAt);
          full.set(pool, start + PACE_MS);
          const admission = await target.admit(ticket);
          return admission.kind === 'admitted' ? { ...admission, startInMs: start - now } : admission;
        };
      }
      if (name === 'reportQuota') {
        return async (pool: string, { waitMs = 0 }: { waitMs?: number }) => {
          asked.set(pool, Math.max(asked.get(pool) ?? 0, clock.now() + waitMs));
          return { isBlip: false };
        };
      }
      const value = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

async function setUp(by: Spread = 'quota', concurrency = 4) {
  const app = await MemoryApp.open();
  const clock = new VirtualClock();
  const startedAt = clock.now();
  const hosts = { first: new StrictHost(clock), second: new StrictHost(clock) };
  const ledger = paced(app.ledger, clock);
  const gate = (name: Name) => {
    const client = { call: () => hosts[name].call(), close: async () => {} };
    return new ProviderGate({ name, client, concurrency, outageToleranceMs: 60_000, clock, hasPromptCache: false });
  };
  const limits = new Map(NAMES.map((name) => [name, { requestsPerMinute: PER_MINUTE }]));
  const context: CallModelContext = {
    ...app.slices,
    ledger,
    clock,
    providers: new Map(NAMES.map((name) => [name, gate(name)])),
    pools: new Pools({ limits, ledger, clock, random: () => 0 }),
    prefixes: new PromptPrefixes(clock),
  };
  const owner = new SliceRun(await app.cluster.claim(await app.cluster.queuedBatch()), new Map());
  const call = (document: number): Call => {
    const routeAt = (name: Name) =>
      routeTo(
        { ...SMALL, name, provider: name },
        { modelId: SMALL.id, messages: [{ role: 'user', content: `${name} ${document}` }], maxOutputTokens: 10 },
      );
    return {
      ...{ owner, document, tier: 0 },
      routes: [routeAt('first'), routeAt('second')],
      spread: { hosts: 2, by },
    };
  };
  /** All documents at once, as slices ask them. @returns seconds until the last answer */
  const answerAll = async (documents: number) => {
    await clock.run(Promise.all(Array.from({ length: documents }, (_, at) => callModel(context, call(at)))));
    return (clock.now() - startedAt) / 1_000;
  };
  const at = (seconds: number, act: () => void) => void clock.sleep(seconds * 1_000).then(act);
  return { clock, hosts, answerAll, at };
}

describe('a call that waits for one host', () => {
  test('both hosts work side by side while both are well', async () => {
    const { hosts, answerAll } = await setUp();
    expect(await answerAll(60)).toBeLessThan(17);
    expect([hosts.first.refusals, hosts.second.refusals]).toEqual([0, 0]);
    expect(hosts.first.sentAt.length).toBeGreaterThan(28);
  });

  test('goes to the other one when its own becomes slow', async () => {
    const { clock, hosts, answerAll, at } = await setUp();
    at(5, () => {
      hosts.first.answer = async () => {
        await clock.sleep(20_000);
        return { ...labelReply('bug'), durationMs: 20_000 };
      };
    });
    // Forty are left for the other one, two a second; four are stuck at the slow one for twenty seconds.
    expect(await answerAll(60)).toBeLessThan(27);
    expect([hosts.first.refusals, hosts.second.refusals]).toEqual([0, 0]);
    expect(hosts.first.sentAt.length).toBeLessThan(18);
  });

  test('goes to the other one when its own refuses for a while', async () => {
    const { clock, hosts, answerAll, at } = await setUp();
    at(5, () => {
      hosts.first.answer = async () => {
        await clock.sleep(50);
        throw new ModelCallError('not now', {
          failure: 'rate_limited',
          billing: 'none',
          status: 429,
          retryAfterMs: 50_000,
        });
      };
    });
    expect(await answerAll(60)).toBeLessThan(27);
    expect(hosts.second.refusals).toBe(0);
    expect(hosts.first.sentAt.length).toBeLessThan(15);
  });

  test('does not leave a fast host for a slow one, where the reply would be there later', async () => {
    const { clock, hosts, answerAll } = await setUp('fastest', 1);
    hosts.second.answer = async () => {
      await clock.sleep(30_000);
      return { ...labelReply('bug'), durationMs: 30_000 };
    };
    // The first one finds out how slow it is; the others are faster one after the other at the first host.
    expect(await answerAll(20)).toBeLessThan(31);
    expect(hosts.second.sentAt.length).toBe(1);
  });

  test('by price it does not wait for the cheap host either while the other one has room', async () => {
    const { hosts, answerAll } = await setUp('cheapest');
    expect(await answerAll(40)).toBeLessThan(12);
    expect(hosts.first.refusals + hosts.second.refusals).toBe(0);
  });
});
