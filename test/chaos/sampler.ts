import type { Redis } from 'ioredis';
import { runScript, script } from '../../src/adapters/redis/scripts/run-script.ts';
import type { Pause } from '../../src/ledger/pause.ts';

export interface ScopeSample {
  readonly name: string;
  readonly limit: number | undefined;
  readonly settled: number;
  readonly uncertain: number;
  readonly held: number;
  /** Calls in flight; counted in batch scopes only. */
  readonly open: number;
}

/** The money of every scope, the state of every batch and every breaker at one instant. */
export interface Sample {
  readonly scopes: readonly ScopeSample[];
  readonly batches: readonly { readonly state: string; readonly pauses: string }[];
  /** JSON array of each workflow's pauses. */
  readonly holds: readonly string[];
}

export interface Watched {
  readonly limitsKey: string;
  readonly scopes: readonly { readonly name: string; readonly key: string }[];
  readonly batchKeys: readonly string[];
  readonly holdKeys: readonly string[];
}

/**
 * KEYS  1 limits (HASH)  then the scopes, the batches and the workflows' holds
 * ARGV  1 scopes  2 batches  3.. names of the scopes
 */
const READ_ALL = script(`
local out = {}
local scopes, batches = tonumber(ARGV[1]), tonumber(ARGV[2])
for i = 1, #KEYS - 1 do
  local key = KEYS[i + 1]
  if i <= scopes then
    local limit = redis.call('HMGET', KEYS[1], 'set:' .. ARGV[i + 2], 'config:' .. ARGV[i + 2])
    local totals = redis.call('HMGET', key, 'settled', 'uncertain', 'held', 'open')
    out[#out + 1] = limit[1] or limit[2] or ''
    for n = 1, 4 do out[#out + 1] = totals[n] or '0' end
  elseif i <= scopes + batches then
    out[#out + 1] = redis.call('HGET', key, 'state') or ''
    local pauses = {}
    local fields = redis.call('HGETALL', key)
    for n = 1, #fields, 2 do
      if string.sub(fields[n], 1, 7) == 'paused ' then pauses[#pauses + 1] = fields[n + 1] end
    end
    out[#out + 1] = '[' .. table.concat(pauses, ',') .. ']'
  else
    out[#out + 1] = '[' .. table.concat(redis.call('HVALS', key), ',') .. ']'
  end
end
return out
`);

const PAUSE_MS = 6;
const AWAY_MS = 50;

/** Reads everything again and again, one consistent snapshot at a time, and holds each against the limits. */
export class Sampler {
  readonly #redis: Redis;
  readonly #watched: Watched;
  readonly #problems: string[];
  readonly #mayBeAway: boolean;
  readonly #forgotten: () => number;
  readonly #listeners = new Set<(sample: Sample) => void>();
  #running: Promise<void> | undefined;
  #ended = false;
  #failure: unknown;
  readonly #forPersons = new Set<string>();
  samples = 0;
  /** Most by which a limit was ever exceeded; 0 is what is promised. */
  overshoot = 0;

  /**
   * @param mayBeAway whether Redis dies in this scenario: a look that fails is tried again
   * @param forgotten what Redis has forgotten so far of admitted calls, in nano-dollars
   */
  constructor(redis: Redis, watched: Watched, problems: string[], mayBeAway: boolean, forgotten: () => number) {
    this.#redis = redis;
    this.#watched = watched;
    this.#problems = problems;
    this.#mayBeAway = mayBeAway;
    this.#forgotten = forgotten;
  }

  start(): void {
    this.#running = this.#run().catch((error: unknown) => {
      this.#failure = error;
    });
  }

  async stop(): Promise<void> {
    this.#ended = true;
    await this.#running;
  }

  onSample(listener: (sample: Sample) => void): void {
    this.#listeners.add(listener);
  }

  /** The first sample that `isIt` accepts. */
  async until(isIt: (sample: Sample) => boolean, withinMs: number, what: string): Promise<Sample> {
    return await new Promise((resolve, reject) => {
      let last: Sample | undefined;
      const finish = (work: () => void) => {
        this.#listeners.delete(listener);
        clearTimeout(timer);
        work();
      };
      const timer = setTimeout(
        () =>
          finish(() =>
            reject(
              new Error(`Waited ${withinMs / 1000} s for ${what}; last seen: ${JSON.stringify(last ?? this.#failure)}`),
            ),
          ),
        withinMs,
      );
      const listener = (sample: Sample) => {
        last = sample;
        if (isIt(sample)) finish(() => resolve(sample));
      };
      this.#listeners.add(listener);
    });
  }

  async #run(): Promise<void> {
    while (!this.#ended) {
      const sample = await this.#look();
      if (sample === undefined) continue;
      this.samples += 1;
      for (const scope of sample.scopes) this.#check(scope);
      for (const pauses of [...sample.holds, ...sample.batches.map((batch) => batch.pauses)]) this.#checkPauses(pauses);
      for (const listener of [...this.#listeners]) listener(sample);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  async #look(): Promise<Sample | undefined> {
    try {
      return await this.#read();
    } catch (error) {
      if (!this.#mayBeAway) throw error;
      await new Promise((resolve) => setTimeout(resolve, AWAY_MS));
      return undefined;
    }
  }

  #check({ name, limit, settled, uncertain, held, open }: ScopeSample): void {
    const over = limit === undefined ? 0 : settled + uncertain + held - limit;
    if (over > this.overshoot) {
      this.overshoot = over;
      if (over > this.#forgotten())
        this.#problems.push(
          `${name} was ${over} nano-dollars over its limit ${limit} (${settled} + ${uncertain} + ${held})`,
        );
    }
    if (Math.min(settled, uncertain, held, open) < 0) {
      this.#problems.push(
        `${name} was below zero: ${settled} settled, ${uncertain} uncertain, ${held} held, ${open} open`,
      );
    }
  }

  /** The provider's faults pass by themselves: none of them is a person's business. */
  #checkPauses(json: string): void {
    if (!json.includes('"provider"')) return;
    for (const { cause, retry, reason } of JSON.parse(json) as readonly Pause[]) {
      if (cause !== 'provider' || retry === true || this.#forPersons.has(reason)) continue;
      this.#forPersons.add(reason);
      this.#problems.push(`work was paused for a person: ${reason}`);
    }
  }

  async #read(): Promise<Sample> {
    const { limitsKey, scopes, batchKeys, holdKeys } = this.#watched;
    const values = (
      await runScript<Buffer[]>(
        this.#redis,
        READ_ALL,
        [limitsKey, ...scopes.map(({ key }) => key), ...batchKeys, ...holdKeys],
        [scopes.length, batchKeys.length, ...scopes.map(({ name }) => name)],
      )
    ).map(String);
    const holdsFrom = scopes.length * 5 + batchKeys.length * 2;
    return {
      scopes: scopes.map(({ name }, index) => {
        const [limit = '', ...totals] = values.slice(index * 5, index * 5 + 5);
        const [settled = 0, uncertain = 0, held = 0, open = 0] = totals.map(Number);
        return { name, limit: limit === '' ? undefined : Number(limit), settled, uncertain, held, open };
      }),
      batches: batchKeys.map((_, index) => {
        const [state = '', pauses = '[]'] = values.slice(scopes.length * 5 + index * 2);
        return { state, pauses };
      }),
      holds: values.slice(holdsFrom),
    };
  }
}
