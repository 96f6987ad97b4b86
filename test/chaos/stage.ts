import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from './cluster.ts';
import type { Blow } from './faults.ts';
import { FilePlace } from './file-place.ts';
import type { Link } from './link.ts';
import type { RedisPlace } from './redis-place.ts';
import type { Action, WorkerAction } from './scenario.ts';
import { StoreFront } from './store-front.ts';

/** What everything that happens in a scenario happens to. */
export interface StageParts {
  readonly cluster: Cluster;
  readonly redis: RedisPlace;
  /** Between the workers and Redis, where the scenario has faults of the connection. */
  readonly link: Link | undefined;
  readonly store: StoreFront | FilePlace;
  /** What an operator does when Redis has lost its memory: `nightmill recover`, and what it could not know. */
  readonly recover: () => Promise<void>;
  /** Of the checkpoint that the store has; milliseconds since the epoch. */
  readonly checkpointAt: () => Promise<number | undefined>;
}

/** Most that a power failure takes with `everysec`. */
const MOST_FORGOTTEN_MS = 1_000;
const SLOWEST_MS = 120;
const CUT_EVERY_MS = 350;
const CHECKPOINT_WITHIN_MS = 30_000;
const LOOK_MS = 50;

/** Lets the scenario's actions happen and knows which of them are not over yet. */
export class Stage {
  readonly #parts: StageParts;
  readonly #going = new Set<Promise<void>>();
  readonly #problems: string[];
  readonly blows = new Map<string, number>();

  constructor(parts: StageParts, problems: string[]) {
    this.#parts = parts;
    this.#problems = problems;
  }

  act(action: Action): void {
    if (isWorkerAction(action)) {
      this.#parts.cluster.act(action);
      return;
    }
    this.blows.set(action.kind, (this.blows.get(action.kind) ?? 0) + 1);
    this.include(this.#strike(action));
  }

  /** Something that continues beside the actions; its failure is a problem. */
  include(work: Promise<void>): void {
    const going = work
      .catch((error: unknown) => {
        this.#problems.push((error as Error).stack ?? String(error));
      })
      .finally(() => this.#going.delete(going));
    this.#going.add(going);
  }

  /** Resolves when everything that was done is fixed again and no worker is stopped. */
  async allOver(): Promise<void> {
    await Promise.all(this.#going);
    await this.#parts.cluster.allResumed();
  }

  async #strike({ kind, lastsMs, force }: Blow): Promise<void> {
    const { redis, link, store } = this.#parts;
    switch (kind) {
      case 'redis-kill':
        return await redis.dieAndReturn(lastsMs, 0);
      case 'redis-kill-everysec':
        return await redis.dieAndReturn(lastsMs, MOST_FORGOTTEN_MS * force);
      case 'redis-failover':
        return await redis.failOver(lastsMs, MOST_FORGOTTEN_MS * force);
      case 'redis-loss':
        return await this.#loseAll(force);
      case 'redis-cut':
        return await cutAgainAndAgain(need(link), lastsMs, force);
      case 'redis-slow':
        return await slowDown(need(link), lastsMs, force);
      case 'store-5xx':
      case 'store-slow':
      case 'store-refusing':
      case 'store-partial':
      case 'store-full':
        return await need(store instanceof StoreFront ? store : undefined).trouble(kind, lastsMs, force);
      case 'files-refusing':
        return await need(store instanceof FilePlace ? store : undefined).refuse(lastsMs);
      case 'files-full':
        return await need(store instanceof FilePlace ? store : undefined).fill(lastsMs);
      default:
        // The others are no blow.
        return;
    }
  }

  /** When there is something to know again; in half of the cases with a checkpoint of a moment before. */
  async #loseAll(force: number): Promise<void> {
    const { redis, recover, checkpointAt } = this.#parts;
    await redis.untilCommitted();
    if (force < 0.5) {
      const before = await checkpointAt();
      const until = performance.now() + CHECKPOINT_WITHIN_MS;
      await redis.askForCheckpoint();
      while ((await checkpointAt()) === before && performance.now() < until) await delay(LOOK_MS);
    }
    await redis.loseAll();
    await recover();
  }
}

function isWorkerAction(action: Action): action is WorkerAction {
  return action.kind === 'kill' || action.kind === 'stop' || action.kind === 'end';
}

function need<T>(part: T | undefined): T {
  if (part === undefined) throw new Error('The scenario has not built what this fault needs');
  return part;
}

/** Breaks the connections every now and then; a third of the time new ones are turned away as well. */
async function cutAgainAndAgain(link: Link, lastsMs: number, force: number): Promise<void> {
  link.isClosed = force < 1 / 3;
  const until = performance.now() + lastsMs;
  do {
    link.cut();
    await delay(CUT_EVERY_MS);
  } while (performance.now() < until);
  link.isClosed = false;
}

async function slowDown(link: Link, lastsMs: number, force: number): Promise<void> {
  link.delayMs = Math.ceil(SLOWEST_MS * force);
  await delay(2 * lastsMs);
  link.delayMs = 0;
}
