import { createHash } from 'node:crypto';
import type { SlotFate } from '../../schedules/decide-slots.ts';
import type { ChosenFile, InboxFile } from '../../schedules/inbox.ts';
import type { ChooseResult, DueSlot, ScheduleBook, ScheduleState, SlotRecord } from '../../schedules/schedule-book.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisClient } from './redis-options.ts';
import { LOCK, UNLOCK } from './scripts/lock.ts';
import { runScript } from './scripts/run-script.ts';
import { ADD_DUE_SLOT, ADVANCE_SCHEDULE, CHOOSE_FILES, FINISH_SLOT, RELEASE_FILES } from './scripts/schedules.ts';

const RECORDS_KEPT = 1_000;

export class RedisScheduleBook implements ScheduleBook {
  readonly #redis: RedisClient;
  readonly #keys: RedisKeys;

  constructor(redis: RedisClient, keys: RedisKeys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async read(schedule: string): Promise<ScheduleState> {
    const [fields, due] = await Promise.all([
      this.#redis.hgetall(this.#keys.schedule(schedule)),
      this.#redis.hgetall(this.#keys.scheduleDue(schedule)),
    ]);
    const { seenUntil, paused, trouble } = fields;
    return {
      ...(seenUntil === undefined ? {} : { seenUntil: Number(seenUntil) }),
      ...(paused === undefined ? {} : { paused: JSON.parse(paused) as NonNullable<ScheduleState['paused']> }),
      ...(trouble === undefined ? {} : { trouble: JSON.parse(trouble) as NonNullable<ScheduleState['trouble']> }),
      due: Object.entries(due)
        .map(([slot, how]) => ({ slot: Number(slot), how: how as DueSlot['how'] }))
        .sort((a, b) => a.slot - b.slot),
    };
  }

  async records(schedule: string, limit: number): Promise<readonly SlotRecord[]> {
    const records = (await this.#redis.hvals(this.#keys.scheduleRecords(schedule))).map(
      (json) => JSON.parse(json) as SlotRecord,
    );
    return records.sort((a, b) => b.slot - a.slot).slice(0, limit);
  }

  async advance(
    schedule: string,
    from: number | undefined,
    until: number,
    fates: readonly SlotFate[],
    at: number,
  ): Promise<boolean> {
    const answer = await runScript<number>(
      this.#redis,
      ADVANCE_SCHEDULE,
      [this.#keys.schedule(schedule), this.#keys.scheduleDue(schedule), this.#keys.scheduleRecords(schedule)],
      [from ?? '', until, ...fates.flatMap((fate) => [fate.slot, fate.fate, recordOf(fate, at)])],
    );
    return answer === 1;
  }

  async addDue(schedule: string, slot: number): Promise<SlotRecord | undefined> {
    const keys = [this.#keys.scheduleDue(schedule), this.#keys.scheduleRecords(schedule)];
    const record = await runScript<Buffer | null>(this.#redis, ADD_DUE_SLOT, keys, [slot]);
    return record === null ? undefined : (JSON.parse(record.toString()) as SlotRecord);
  }

  async lock(schedule: string, owner: string, milliseconds: number): Promise<boolean> {
    return (
      (await runScript<number>(this.#redis, LOCK, [this.#keys.scheduleLock(schedule)], [owner, milliseconds])) === 1
    );
  }

  async unlock(schedule: string, owner: string): Promise<void> {
    await runScript(this.#redis, UNLOCK, [this.#keys.scheduleLock(schedule)], [owner]);
  }

  async known(schedule: string, files: readonly InboxFile[]): Promise<readonly boolean[]> {
    if (files.length === 0) return [];
    const slots = await this.#redis.hmget(this.#keys.inboxFiles(schedule), ...files.map(identityOf));
    return slots.map((slot) => slot !== null);
  }

  async nameOfContent(schedule: string, sha256: string): Promise<string | undefined> {
    return (await this.#redis.hget(this.#keys.inboxContents(schedule), sha256)) ?? undefined;
  }

  async chosen(schedule: string, slot: number): Promise<readonly ChosenFile[] | undefined> {
    const json = await this.#redis.hget(this.#keys.scheduleChosen(schedule), String(slot));
    return json === null ? undefined : (JSON.parse(json) as ChosenFile[]);
  }

  async choose(schedule: string, slot: number, files: readonly ChosenFile[]): Promise<ChooseResult> {
    const answer = await runScript<Buffer[]>(
      this.#redis,
      CHOOSE_FILES,
      [
        this.#keys.scheduleDue(schedule),
        this.#keys.scheduleChosen(schedule),
        this.#keys.inboxFiles(schedule),
        this.#keys.inboxContents(schedule),
      ],
      [
        slot,
        JSON.stringify(files),
        files.length,
        ...files.map(identityOf),
        ...contentsOf(files).flatMap(({ sha256, name }) => [sha256, name]),
      ],
    );
    const [kind, json = ''] = answer.map(String);
    if (kind === 'chosen') return { kind, files: JSON.parse(json) as ChosenFile[] };
    return { kind: kind === 'conflict' ? 'conflict' : 'gone' };
  }

  async remember(schedule: string, slot: number, files: readonly ChosenFile[]): Promise<void> {
    for (const file of files) await this.#redis.hsetnx(this.#keys.inboxFiles(schedule), identityOf(file), slot);
    for (const { sha256, name } of contentsOf(files)) {
      await this.#redis.hsetnx(this.#keys.inboxContents(schedule), sha256, name);
    }
  }

  async release(schedule: string, slot: number): Promise<void> {
    const files = (await this.chosen(schedule, slot)) ?? [];
    await runScript(
      this.#redis,
      RELEASE_FILES,
      [this.#keys.scheduleChosen(schedule), this.#keys.inboxFiles(schedule), this.#keys.inboxContents(schedule)],
      [slot, files.length, ...files.map(identityOf), ...contentsOf(files).map(({ sha256 }) => sha256)],
    );
  }

  async finish(schedule: string, record: SlotRecord): Promise<boolean> {
    const answer = await runScript<number>(
      this.#redis,
      FINISH_SLOT,
      [this.#keys.scheduleDue(schedule), this.#keys.scheduleRecords(schedule), this.#keys.scheduleChosen(schedule)],
      [record.slot, JSON.stringify(record), RECORDS_KEPT],
    );
    return answer === 1;
  }

  async pause(schedule: string, at: number, by: string): Promise<boolean> {
    return (await this.#redis.hsetnx(this.#keys.schedule(schedule), 'paused', JSON.stringify({ at, by }))) === 1;
  }

  async resume(schedule: string): Promise<boolean> {
    return (await this.#redis.hdel(this.#keys.schedule(schedule), 'paused')) === 1;
  }

  async noteTrouble(schedule: string, trouble: ScheduleState['trouble']): Promise<void> {
    const key = this.#keys.schedule(schedule);
    if (trouble === undefined) await this.#redis.hdel(key, 'trouble');
    else await this.#redis.hset(key, 'trouble', JSON.stringify(trouble));
  }
}

function recordOf(fate: SlotFate, at: number): string {
  if (fate.fate === 'due') return '';
  const record: SlotRecord = { slot: fate.slot, how: 'calendar', outcome: 'missed', at, why: fate.why };
  return JSON.stringify(record);
}

/** JSON keeps the parts apart; hashed, because keys are long and every file that was ever taken is remembered. */
function identityOf({ name, version, bytes }: InboxFile): string {
  return createHash('sha256')
    .update(JSON.stringify([name, version, bytes]))
    .digest('base64url')
    .slice(0, 22);
}

/** What was taken; a duplicate's content is known already, and one in quarantine may come again fixed. */
function contentsOf(files: readonly ChosenFile[]): readonly { readonly sha256: string; readonly name: string }[] {
  return files.flatMap(({ fate, sha256, name }) =>
    fate === 'taken' && sha256 !== undefined ? [{ sha256, name }] : [],
  );
}
