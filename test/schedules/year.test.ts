import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MemoryStore } from '../../src/adapters/memory-store/memory-store.ts';
import { RedisKeys } from '../../src/adapters/redis/keys.ts';
import { RedisScheduleBook } from '../../src/adapters/redis/schedule-book.ts';
import { keepSchedule } from '../../src/schedules/keep-schedule.ts';
import type { ScheduleContext } from '../../src/schedules/run-slot.ts';
import type { Schedule } from '../../src/schedules/schedule.ts';
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

  constructor(schedule: Schedule, book: RedisScheduleBook, start: number, seed: number) {
    this.#schedule = schedule;
    this.book = book;
    this.clock = new FakeClock(start);
    this.#random = new Random(seed);
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
      this.clock.advance(Math.floor((15 + this.#random.next() * 105) * MINUTE));
    }
    this.#mayDie = false;
    await this.#putFiles(nextDay / DAY);
    // What was cut off last is done by whoever looks next.
    for (let look = 0; look < 3; look += 1) {
      this.clock.advance(MINUTE);
      await this.#look();
    }
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

describe.each([
  ['Europe/Berlin', 2, 30],
  ['America/New_York', 1, 30],
  ['Africa/Cairo', 0, 0],
  ['Australia/Lord_Howe', 2, 15],
])('a year of nights in %s at %i:%i', (timezone, hour, minute) => {
  const start = Date.parse('2026-11-28T12:00Z');
  const end = start + 370 * DAY;

  it.each(['all', 'latest'] as const)(
    'with catchUp: %s has each night exactly once and each file exactly once, over changed clocks, kills, downtime and a queue that stands still',
    async (catchUp) => {
      const book = new RedisScheduleBook(await server.connect(), new RedisKeys(`year-${randomUUID()}`));
      const schedule: Schedule = {
        ...NIGHTLY,
        cron: `${minute} ${hour} * * *`,
        timezone,
        catchUp,
        after: catchUp === 'all' ? 'archive' : 'keep',
      };
      const year = new Year(schedule, book, start, hour * 60 + minute);
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
    120_000,
  );
});
