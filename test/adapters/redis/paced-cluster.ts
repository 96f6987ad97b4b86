import type { Redis } from 'ioredis';
import type { CallTicket, SliceClaim } from '../../../src/ledger/ledger.ts';
import type { PoolLimits } from '../../../src/ledger/pool-limits.ts';
import { NO_USAGE } from '../../../src/money/usage.ts';
import { Pools } from '../../../src/quota/pools.ts';
import { ModelLimiter } from '../../../src/simulator/model-limiter.ts';
import type { LimitManners, RateLimits } from '../../../src/simulator/options.ts';
import { entryOf, ticketOf } from '../../contract/cluster.ts';
import { Random } from '../../helpers/random.ts';
import { Cluster, type TestWorker } from './fixture.ts';
import { withVirtualTime } from './virtual-redis.ts';

const POOL = 'acme';
const INPUT_TOKENS = 300;
const OUTPUT_TOKENS = 60;
const TRIP_MS = 2;
/** Calls in flight in a worker. */
const CONCURRENCY = 64;
/** Backoff after a refusal that names no wait, as `decideRetry` has it. */
const BACKOFF_MS = 500;

export interface Scene {
  readonly manners: LimitManners;
  readonly limits: RateLimits;
  /** Other limits from later on, in the order of their times. Default: none. */
  readonly changes?: readonly { readonly afterSeconds: number; readonly limits: RateLimits }[];
  /** What the config states. */
  readonly stated?: PoolLimits;
  readonly workers: number;
  readonly seconds: number;
  /** Only what happens from here on is counted. */
  readonly countFrom: number;
  /** Refused whatever the rate is; the share of calls, and the wait that such a refusal names. Default: none. */
  readonly blips?: { readonly share: number; readonly waitMs: number };
  /** Calls in flight in a worker. Default: 64. */
  readonly concurrency?: number;
  /** It ends when so many calls were answered. Default: it never runs out of calls. */
  readonly calls?: number;
  /** Refused besides: the wait in milliseconds that the provider names to the call of this number, 1 for the first. */
  readonly refusal?: (call: number, elapsedMs: number) => number | undefined;
}

export interface Outcome {
  /** Calls that were answered. */
  readonly answered: number;
  /** Share of what the limit on requests allows; infinite without one. */
  readonly used: number;
  readonly refused: number;
  /** When the last call was answered. */
  readonly endedAfterMs: number;
  /** What the provider let in and what it refused, by the second from the beginning. */
  readonly seconds: readonly { readonly admitted: number; readonly refused: number }[];
}

interface PacedWorker {
  readonly ledger: TestWorker['ledger'];
  readonly claim: SliceClaim;
  readonly pools: Pools;
  inFlight: number;
  notBefore: number;
  isAsking: boolean;
}

/**
 * Workers that always have calls to make against a provider with limits, on the real scripts in virtual time: a night of
 * minutes in seconds. Each worker makes one trip at a time and keeps to the waits it is told, as `AdmissionQueue` does.
 */
export class PacedCluster {
  readonly #time: { now: number };
  readonly #scene: Scene;
  #limiter: ModelLimiter;
  #changed = 0;
  readonly #random: Random;
  readonly #events: { readonly at: number; readonly run: () => Promise<void> }[] = [];
  readonly #from: number;
  readonly #seconds: { admitted: number; refused: number }[];
  #admitted = 0;
  #refused = 0;
  #sent = 0;
  #inFlight = 0;
  #answered = 0;
  #answeredAt = 0;

  constructor(time: { now: number }, scene: Scene) {
    this.#time = time;
    this.#scene = scene;
    this.#limiter = new ModelLimiter(scene.limits, scene.manners);
    this.#random = new Random(scene.workers * 7 + 3);
    this.#from = time.now;
    this.#seconds = Array.from({ length: scene.seconds + 1 }, () => ({ admitted: 0, refused: 0 }));
  }

  async run(cluster: Cluster): Promise<Outcome> {
    const { limits, seconds, countFrom } = this.#scene;
    for (let n = 0; n < this.#scene.workers; n += 1) await this.#start(cluster);
    const until = this.#from + seconds * 1_000;
    for (;;) {
      const next = this.#events.shift();
      if (next === undefined || next.at > until) break;
      this.#time.now = Math.max(this.#time.now, next.at);
      await next.run();
    }
    const allowed = ((limits.requestsPerMinute ?? 0) * (seconds - countFrom)) / 60;
    return {
      answered: this.#admitted,
      used: this.#admitted / allowed,
      refused: this.#refused / (this.#admitted + this.#refused),
      endedAfterMs: this.#answeredAt - this.#from,
      seconds: this.#seconds,
    };
  }

  async #start(cluster: Cluster): Promise<void> {
    const { ledger, claim } = await cluster.workerWithSlice();
    const clock = { now: () => this.#time.now, monotonic: () => this.#time.now, sleep: async () => {} };
    const pools = new Pools({
      limits: new Map([[POOL, this.#scene.stated ?? {}]]),
      ledger,
      clock,
      random: () => this.#random.next(),
    });
    const worker = { ledger, claim, pools, inFlight: 0, notBefore: 0, isAsking: false };
    this.#ask(worker, this.#time.now);
  }

  #at(at: number, run: () => Promise<void>): void {
    let index = this.#events.length;
    while (index > 0 && (this.#events[index - 1]?.at ?? 0) > at) index -= 1;
    this.#events.splice(index, 0, { at, run });
  }

  #ask(worker: PacedWorker, at: number): void {
    if (worker.isAsking) return;
    worker.isAsking = true;
    this.#at(Math.max(at, worker.notBefore), async () => {
      worker.isAsking = false;
      await this.#trip(worker);
    });
  }

  async #trip(worker: PacedWorker): Promise<void> {
    if (worker.inFlight >= (this.#scene.concurrency ?? CONCURRENCY)) return;
    if (this.#answered + this.#inFlight >= (this.#scene.calls ?? Number.POSITIVE_INFINITY)) return;
    const ticket = ticketOf(worker.claim, 0, { quota: worker.pools.need(POOL, INPUT_TOKENS, OUTPUT_TOKENS) });
    const admission = await worker.ledger.admit(ticket);
    const { now } = this.#time;
    if (admission.kind === 'wait') {
      worker.notBefore = now + Math.max(5, admission.waitMs) + this.#random.next() * 20;
    } else if (admission.kind === 'admitted') {
      worker.inFlight += 1;
      this.#inFlight += 1;
      this.#at(now + TRIP_MS + (admission.startInMs ?? 0) + this.#random.next() * 8, () => this.#send(worker, ticket));
    } else throw new Error(`The call was ${admission.kind}`);
    this.#ask(worker, now + 0.1);
  }

  async #send(worker: PacedWorker, ticket: CallTicket): Promise<void> {
    const { now } = this.#time;
    const { share, waitMs: blipWaitMs } = this.#scene.blips ?? { share: 0, waitMs: 0 };
    const isBlip = this.#random.next() < share;
    this.#sent += 1;
    this.#changeLimits(now);
    const refusedFor = isBlip ? blipWaitMs : this.#scene.refusal?.(this.#sent, now - this.#from);
    const answer =
      refusedFor !== undefined
        ? { admitted: false as const, retryAfterMs: refusedFor }
        : this.#limiter.admit({ inputTokens: INPUT_TOKENS, maxOutputTokens: OUTPUT_TOKENS }, now);
    const second = this.#seconds[Math.floor((now - this.#from) / 1_000)];
    if (second !== undefined) second[answer.admitted ? 'admitted' : 'refused'] += 1;
    if (now >= this.#from + this.#scene.countFrom * 1_000) {
      if (answer.admitted) this.#admitted += 1;
      else this.#refused += 1;
    }
    if (answer.admitted) {
      this.#at(now + 200 + this.#random.next() * 400, async () => {
        this.#limiter.finish(0, this.#time.now);
        this.#answered += 1;
        this.#answeredAt = this.#time.now;
        this.#free(worker);
        const usage = { ...NO_USAGE, inputTokens: INPUT_TOKENS, outputTokens: OUTPUT_TOKENS };
        await worker.ledger.settle(ticket, { kind: 'reply', entry: { ...entryOf(0), usage } });
        await worker.pools.observe(POOL, this.#limiter.headers(this.#time.now));
      });
      return;
    }
    const { waits = 'exact' } = this.#scene.manners;
    const waitMs =
      waits === 'none' || answer.retryAfterMs === 0
        ? 0
        : waits === 'exact'
          ? answer.retryAfterMs
          : Math.ceil(answer.retryAfterMs / 1_000) * 1_000;
    this.#at(now + TRIP_MS + this.#random.next() * 8, async () => {
      await worker.ledger.settle(ticket, { kind: 'released', refused: true });
      const forgiven = await worker.pools.refused(POOL, waitMs, this.#limiter.headers(this.#time.now));
      if (!forgiven) worker.notBefore = Math.max(worker.notBefore, this.#time.now + waitMs);
      // The call keeps its place in its slice until it is tried again.
      this.#at(
        this.#time.now +
          (waitMs === 0 ? BACKOFF_MS * (0.5 + this.#random.next()) : waitMs * (1 + this.#random.next() / 4)),
        async () => this.#free(worker),
      );
    });
  }

  #changeLimits(now: number): void {
    const next = this.#scene.changes?.[this.#changed];
    if (next === undefined || now < this.#from + next.afterSeconds * 1_000) return;
    this.#changed += 1;
    this.#limiter = new ModelLimiter(next.limits, this.#scene.manners);
  }

  #free(worker: PacedWorker): void {
    worker.inFlight -= 1;
    this.#inFlight -= 1;
    this.#ask(worker, this.#time.now);
  }
}

/** A scene from its beginning on a cluster of its own, in virtual time. */
export async function playScene(redis: Redis, scene: Scene): Promise<Outcome> {
  const time = { now: Date.UTC(2026, 2, 1, 1, 0, 17) };
  const cluster = new Cluster(withVirtualTime(redis, time));
  const outcome = await new PacedCluster(time, scene).run(cluster);
  await cluster.stop();
  return outcome;
}
