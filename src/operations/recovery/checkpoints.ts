import { setTimeout as delay } from 'node:timers/promises';
import type { App } from '../../app.ts';
import type { CheckpointData } from '../../batches/cluster-memory.ts';
import type { Check } from '../../doctor/check.ts';
import { NightmillError } from '../../errors.ts';
import { gunzip, gzip } from '../../runtime/gzip.ts';
import { storeKeys } from '../../store/store-keys.ts';
import { queuesOf } from '../../workflows/model-workflow.ts';
import { presentScopes } from '../budgets.ts';

export interface Checkpoint extends CheckpointData {
  readonly schemaVersion: 1;
  /** Of the server's memory that it was taken from. */
  readonly identity: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Together with the time that writing one takes, none in force is older than half a minute. */
const EVERY_MS = 20_000;
const LOOK_EVERY_MS = 2_000;

export type CheckpointResult = 'written' | 'not_its_turn' | 'lost';

/** Keeps a checkpoint of Redis in the store until `signal` aborts; the worker that keeps house writes it. */
export async function keepCheckpoints(app: App, signal: AbortSignal): Promise<void> {
  let isLost = false;
  while (!signal.aborted) {
    try {
      const result = app.housekeeping.house.isHeld ? await writeCheckpoint(app) : 'not_its_turn';
      if (result === 'lost' && !isLost) app.log.error('redis:lost', { message: LOST });
      if (result !== 'not_its_turn') isLost = result === 'lost';
    } catch (error) {
      if (!signal.aborted) app.log.warn('checkpoint:failed', { message: (error as Error).message });
    }
    await delay(LOOK_EVERY_MS * (0.75 + Math.random() * 0.5), undefined, { signal }).catch(() => {});
  }
}

/**
 * Writes a checkpoint where the last one is twenty seconds old. A server that is not the one that the last checkpoint
 * is of has lost its memory, or is another one: what is kept is never replaced by less.
 */
export async function writeCheckpoint(app: App): Promise<CheckpointResult> {
  if (!(await app.memory.takeTurn('checkpoint', EVERY_MS))) return 'not_its_turn';
  const before = await readCheckpoint(app);
  const identity = (await app.memory.identity()) ?? (before === undefined ? app.submit.newId() : undefined);
  if (identity === undefined || (before !== undefined && before.identity !== identity)) return 'lost';
  if (!(await app.memory.identify(identity))) return 'not_its_turn';
  const open = await app.batches.listOpen();
  const at = app.clock.now();
  const data = await app.memory.read({
    batches: open.map(({ batchId }) => batchId),
    workflows: [...new Set([...queuesOf(app.config), ...open.map(({ workflow }) => workflow)])],
    scopes: await presentScopes(app),
  });
  // Lost while it was read: it has a part of what was there.
  if ((await app.memory.identity()) !== identity) return 'lost';
  const checkpoint: Checkpoint = { schemaVersion: 1, identity, at, ...data };
  await app.store.put(keyOf(app), await gzip(JSON.stringify(checkpoint)));
  return 'written';
}

/**
 * Sees to it that a checkpoint is there before the first batch is: a server that has none to be compared with could lose
 * its memory, and nobody would know that it had any.
 */
export async function startCheckpoints(app: App): Promise<void> {
  if ((await app.memory.identity()) === undefined) await writeCheckpoint(app);
}

/** Undefined: none was ever written. */
export async function readCheckpoint(app: App): Promise<Checkpoint | undefined> {
  const bytes = await app.store.get(keyOf(app));
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse((await gunzip(bytes)).toString()) as Checkpoint;
  } catch (cause) {
    throw new NightmillError(
      'store_unavailable',
      `The checkpoint ${keyOf(app)} in ${app.store.url} is damaged. Delete it, and what was spent before counts from zero.`,
      { cause },
    );
  }
}

/** A line of `doctor` where Redis has lost what the store knows of. */
export async function memoryFindings(app: App): Promise<readonly Check[]> {
  const checkpoint = await readCheckpoint(app).catch(() => undefined);
  if (checkpoint === undefined) return [];
  const at = new Date(checkpoint.at).toISOString();
  if ((await app.memory.identity()) === checkpoint.identity) {
    return [{ name: 'checkpoint', state: 'ok', detail: `of ${at}` }];
  }
  return [{ name: 'checkpoint', state: 'failed', detail: `${LOST} The last checkpoint is of ${at}` }];
}

const LOST =
  'Redis does not know what the store has: it has lost its memory, or is another server. To resume: nightmill recover.';

function keyOf({ config }: App): string {
  return storeKeys.checkpoint(config.redisPrefix);
}
