import { renameSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type AdmittedCall, admittedCalls, aofFiles, callsOutsideRows, committedSlices } from './append-only-file.ts';
import { Link } from './link.ts';
import { type RedisProcess, startRedis } from './processes.ts';

const LOOK_EVERY_MS = 50;
const IN_STEP_WITHIN_MS = 30_000;
const COMMITTED_WITHIN_MS = 30_000;

export interface RedisPlaceOptions {
  readonly appendfsync: 'always' | 'everysec';
  /** A second server follows the first, over a connection of its own that may be slow. */
  readonly replica: boolean;
}

/**
 * The Redis of one scenario, which may die and come back. With `everysec` a power failure takes what was not synced: a
 * killed process alone would lose nothing, so what was written in the last moments is cut off its file.
 */
export class RedisPlace implements AsyncDisposable {
  readonly #folder: string;
  readonly #options: RedisPlaceOptions;
  readonly #sizes: { readonly at: number; readonly bytes: number }[] = [];
  readonly #stack: AsyncDisposableStack;
  #process: RedisProcess;
  #replica: { readonly process: RedisProcess; readonly link: Link } | undefined;
  /** Nothing before this may be forgotten. */
  #keptBytes = 0;
  #turn: Promise<void> = Promise.resolve();
  /** Calls that were admitted and whose admission was forgotten, by id. */
  readonly forgotten = new Map<string, AdmittedCall>();

  private constructor(folder: string, options: RedisPlaceOptions, process: RedisProcess, stack: AsyncDisposableStack) {
    this.#folder = folder;
    this.#options = options;
    this.#process = process;
    this.#stack = stack;
  }

  static async start(folder: string, options: RedisPlaceOptions): Promise<RedisPlace> {
    const place = new RedisPlace(folder, options, await startRedis(folder, options), new AsyncDisposableStack());
    if (options.appendfsync === 'everysec') {
      const timer = setInterval(() => place.#noteSize(), LOOK_EVERY_MS);
      place.#stack.defer(() => clearInterval(timer));
    }
    if (options.replica) await place.#follow();
    return place;
  }

  async #follow(): Promise<void> {
    const link = this.#stack.use(await Link.start(() => ({ path: this.socket })));
    const process = await startRedis(this.#folder, { ...this.#options, name: 'replica', replicaOf: link.port });
    this.#replica = { process, link };
  }

  get socket(): string {
    return join(this.#folder, 'redis.sock');
  }

  get aofFolder(): string {
    return this.#process.aofFolder;
  }

  /** From now on it may die: what was written before is on disk, and with the replica. */
  async mayDie(): Promise<void> {
    this.#keptBytes = this.#bytes();
    if (this.#replica === undefined) return;
    const inStep = await this.#ask(this.socket, (redis) => redis.wait(1, IN_STEP_WITHIN_MS));
    if (inStep !== 1) throw new Error('The replica did not get in step with its primary');
  }

  /** Kills it and starts it again on its data. One death at a time. */
  async dieAndReturn(awayMs: number, forgetMs: number): Promise<void> {
    await this.#takeTurn(async () => {
      await this.#process.kill();
      const known = admittedCalls(this.aofFolder);
      if (this.#options.appendfsync === 'everysec') this.#forget(forgetMs);
      await delay(awayMs);
      this.#process = await startRedis(this.#folder, this.#options);
      this.#sizes.length = 0;
      this.#noteForgotten(known);
    });
  }

  /** The primary dies for good while its replica is `lagMs` behind, which takes its place. */
  async failOver(awayMs: number, lagMs: number): Promise<void> {
    await this.#takeTurn(async () => {
      const replica = this.#replica;
      if (replica === undefined) throw new Error('There is no replica to fail over to');
      this.#replica = undefined;
      replica.link.delayMs = lagMs;
      await delay(lagMs);
      await this.#process.kill();
      replica.link.isClosed = true;
      replica.link.cut();
      const known = admittedCalls(this.aofFolder);
      await delay(awayMs);
      await this.#ask(replica.process.socket, (redis) => redis.replicaof('NO', 'ONE'));
      renameSync(replica.process.socket, this.socket);
      this.#process = replica.process;
      this.#noteForgotten(known);
    });
  }

  /** Everything is gone at once, as after FLUSHALL or on a new disk. Work that was committed is known to the store. */
  async loseAll(): Promise<void> {
    await this.#takeTurn(async () => {
      await this.#ask(this.socket, (redis) => redis.flushall());
      for (const [id, call] of callsOutsideRows(this.aofFolder)) this.forgotten.set(id, call);
    });
  }

  /** Resolves when a slice has been committed, or after a while: the limit may be reached before. */
  async untilCommitted(): Promise<void> {
    const until = performance.now() + COMMITTED_WITHIN_MS;
    while (committedSlices(this.aofFolder).size === 0 && performance.now() < until) await delay(LOOK_EVERY_MS);
  }

  /** Lets the next worker that keeps house write a checkpoint at once. */
  async askForCheckpoint(): Promise<void> {
    await this.#ask(this.socket, async (redis) => {
      for (const key of await redis.keys('*checkpoint-turn')) await redis.del(key);
    });
  }

  async #takeTurn(work: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.catch(() => {}).then(work);
    await this.#turn;
  }

  #noteForgotten(known: ReadonlyMap<string, AdmittedCall>): void {
    const left = admittedCalls(this.aofFolder);
    for (const [id, call] of known) if (!left.has(id)) this.forgotten.set(id, call);
  }

  #forget(forgetMs: number): void {
    const since = performance.now() - forgetMs;
    const size = this.#sizes.findLast(({ at }) => at <= since)?.bytes ?? this.#keptBytes;
    truncateSync(this.#lastFile(), Math.max(size, this.#keptBytes));
  }

  #noteSize(): void {
    this.#sizes.push({ at: performance.now(), bytes: this.#bytes() });
    if (this.#sizes.length > 200) this.#sizes.splice(0, 100);
  }

  #bytes(): number {
    return statSync(this.#lastFile()).size;
  }

  #lastFile(): string {
    return aofFiles(this.aofFolder).at(-1) ?? join(this.aofFolder, 'none');
  }

  async #ask<T>(path: string, question: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = new Redis({ path });
    redis.on('error', () => {});
    try {
      return await question(redis);
    } finally {
      redis.disconnect();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#turn.catch(() => {});
    await this.#replica?.process[Symbol.asyncDispose]();
    await this.#process[Symbol.asyncDispose]();
    await this.#stack.disposeAsync();
  }
}
