import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MemoryStore } from '../../src/adapters/memory-store/memory-store.ts';
import { RedisKeys } from '../../src/adapters/redis/keys.ts';
import { RedisScheduleBook } from '../../src/adapters/redis/schedule-book.ts';
import { keepSchedule } from '../../src/schedules/keep-schedule.ts';
import type { ScheduleContext } from '../../src/schedules/run-slot.ts';
import type { Schedule } from '../../src/schedules/schedule.ts';
import { ALL_TESTS, pairsOf } from '../helpers/all-tests.ts';
import { FakeClock } from '../helpers/memory/fake-clock.ts';
import { Random } from '../helpers/random.ts';
import { type RedisServer, startRedisServer } from '../helpers/redis-server.ts';
import { idsOf, inboxOf, keepingLog, NIGHTLY } from './helpers.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

let server: RedisServer;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server?.stop());

/** When the schedule is due. */
interface WallTime {
  readonly timezone: string;
  readonly hour: number;
  readonly minute: number;
}

/** A year of nights of one schedule: days with files, workers that look now and then, die at any step, or are away. */
class Year {
  readonly store = new MemoryStore();
  readonly clock: FakeClock;
  readonly batches = new Map<string, readonly string[]>();
  readonly submissions: string[] = [];
  readonly put: string[] = [];
  readonly book: RedisScheduleBook;
  readonly #random: Random;
  readonly #schedule: Schedule;
  readonly #wall: WallTime;

  constructor(schedule: Schedule, wall: WallTime, book: RedisScheduleBook, start: number) {
    this.#schedule = schedule;
    this.#wall = wall;
    this.book = book;
    this.clock = new FakeClock(start);
    this.#random = new Random(wall.hour * 60 + wall.minute);
  }

  async run(end: number): Promise<void> {
    let nextDay = this.clock.now();
    let away = 0;
    while (this.clock.now() < end) {
      if (this.clock.now() >= nextDay) {
        await this.#putFiles(nextDay / DAY);
        nextDay += DAY;
        // Now and then nobody is there for up to three days, over the hour and over changed clocks.
        away = this.#random.next() < 0.1 ? this.clock.now() + this.#random.next() * 3 * DAY : away;
      }
      if (this.clock.now() >= away) await Promise.all([this.#look(), this.#look()]);
      this.clock.advance(Math.floor(this.#untilNextLook()));
    }
    this.#mayDie = false;
    await this.#putFiles(nextDay / DAY);
    // What was cut off last is done by whoever looks next.
    for (let look = 0; look < 3; look += 1) {
      this.clock.advance(MINUTE);
      await this.#look();
    }
  }

  /** Often around the slot and over changed clocks; else only now and then, since nothing is due then. */
  #untilNextLook(): number {
    const { hour, minute, timezone } = this.#wall;
    const local = Temporal.Instant.fromEpochMilliseconds(this.clock.now()).toZonedDateTimeISO(timezone);
    const untilSlot = (60 * (hour - local.hour) + minute - local.minute + 24 * 60) % (24 * 60);
    const often = 15 + this.#random.next() * 105;
    if (untilSlot <= 60 || untilSlot >= 21 * 60) return often * MINUTE;
    return Math.max(often, (0.5 + this.#random.next() / 2) * (untilSlot - 60)) * MINUTE;
  }

  #mayDie = true;

  /** A worker that may be killed at any step of its way: what is thrown leaves the slot as it is. */
  async #look(): Promise<void> {
    const die = () => {
      if (this.#mayDie && this.#random.next() < 0.04) throw new Error('killed');
    };
    const step = async <T>(work: () => Promise<T>): Promise<T> => {
      die();
      const result = await work();
      die();
      return result;
    };
    const inbox = () => {
      const opened = inboxOf(this.store, async (batchId, source) => {
        const ids = await idsOf(source);
        this.submissions.push(batchId);
        expect(this.batches.get(batchId) ?? ids).toEqual(ids);
        this.batches.set(batchId, ids);
      });
      const { archive, submit, quarantine } = opened;
      opened.submit = (...args) => step(() => submit.apply(opened, args));
      opened.archive = (...args) => step(() => archive.apply(opened, args));
      opened.quarantine = (...args) => step(() => quarantine.apply(opened, args));
      return opened;
    };
    const context: ScheduleContext = {
      book: this.book,
      clock: this.clock,
      log: keepingLog(),
      newId: randomUUID,
      openInbox: async () => inbox(),
      // The queue stands still all year: no batch ever ends.
      batchState: async (batchId) => (this.batches.has(batchId) ? 'open' : 'unknown'),
      discardBatch: async () => {},
      keepChoice: () => step(async () => {}),
    };
    await keepSchedule(context, this.#schedule).catch((error: Error) => expect(error.message).toBe('killed'));
  }

  async #putFiles(day: number): Promise<void> {
    const content = `{"id": "day-${day}", "text": "What happened on day ${day}."}\n`;
    await this.store.put(`day-${day}.jsonl`, Buffer.from(content));
    this.put.push(`day-${day}`);
    if (this.#random.next() < 0.2) await this.store.put(`copy-of-${day}.jsonl`, Buffer.from(content));
    if (this.#random.next() < 0.1) await this.store.put(`bad-${day}.jsonl`, Buffer.from(`not json of ${day}\n`));
    if (this.#random.next() < 0.1) await this.store.put(`day-${day}.jsonl.part`, Buffer.from('{"id": "half'));
  }
}

/** Each date of the zone whose wall clock had the moment of the schedule, or was moved over it, once. */
function datesOf(timezone: string, from: number, until: number, hour: number, minute: number): readonly string[] {
  const dates: string[] = [];
  let date = Temporal.Instant.fromEpochMilliseconds(from - DAY)
    .toZonedDateTimeISO(timezone)
    .toPlainDate();
  for (;;) {
    const at = date.toZonedDateTime({ timeZone: timezone, plainTime: { hour, minute } }).epochMilliseconds;
    if (at > until) return dates;
    if (at > from) dates.push(date.toString().replaceAll('-', ''));
    date = date.add({ days: 1 });
  }
}

const WALL_TIMES: readonly WallTime[] = [
  { timezone: 'Europe/Berlin', hour: 2, minute: 30 },
  { timezone: 'America/New_York', hour: 1, minute: 30 },
  { timezone: 'Africa/Cairo', hour: 0, minute: 0 },
  { timezone: 'Australia/Lord_Howe', hour: 2, minute: 15 },
];
const NIGHTS = pairsOf(WALL_TIMES, ['all', 'latest'] as const).map(([wall, catchUp]) => ({ ...wall, catchUp }));

describe(ALL_TESTS ? 'a year of nights' : 'seven months of nights', () => {
  // From before one change of each zone's clocks to after the next; with all tests a whole year.
  const start = Date.parse('2026-09-30T12:00Z');
  const end = start + (ALL_TESTS ? 370 : 216) * DAY;

  it.each(NIGHTS)(
    'in $timezone at $hour:$minute with catchUp: $catchUp has each night exactly once and each file exactly once, over changed clocks, kills, downtime and a queue that stands still',
    async ({ catchUp, ...wall }) => {
      const { timezone, hour, minute } = wall;
      const book = new RedisScheduleBook(await server.connect(), new RedisKeys(`year-${randomUUID()}`));
      const schedule: Schedule = {
        ...NIGHTLY,
        cron: `${minute} ${hour} * * *`,
        timezone,
        catchUp,
        after: catchUp === 'all' ? 'archive' : 'keep',
      };
      const year = new Year(schedule, wall, book, start);
      await year.run(end);
      const records = (await book.records('triage', 1_000)).toReversed();
      const dates = records.map(({ slot }) =>
        Temporal.Instant.fromEpochMilliseconds(slot)
          .toZonedDateTimeISO(timezone)
          .toPlainDate()
          .toString()
          .replaceAll('-', ''),
      );
      expect(dates).toEqual(datesOf(timezone, start, year.clock.now(), hour, minute));
      expect((await book.read('triage')).due).toEqual([]);
      const missed = records.filter(({ outcome }) => outcome === 'missed');
      if (catchUp === 'all') expect(missed).toEqual([]);
      else expect(missed.length).toBeGreaterThan(5);
      const taken = [...year.batches.values()].flat();
      expect(new Set(taken).size).toBe(taken.length);
      // What came after the last slot waits for the next one.
      expect(year.put.filter((id) => !taken.includes(id)).length).toBeLessThanOrEqual(2);
      for (const { outcome, batch } of records) expect(year.batches.has(batch ?? '')).toBe(outcome === 'submitted');
      expect(year.batches.size).toBe(records.filter(({ outcome }) => outcome === 'submitted').length);
      // Workers died between submitting and noting it, and nothing came of it.
      expect(year.submissions.length).toBeGreaterThanOrEqual(year.batches.size);
    },
    300_000,
  );
});
