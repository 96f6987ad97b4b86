import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MemoryStore } from '../../src/adapters/memory-store/memory-store.ts';
import { RedisKeys } from '../../src/adapters/redis/keys.ts';
import { RedisScheduleBook } from '../../src/adapters/redis/schedule-book.ts';
import { SETTLE_MS } from '../../src/schedules/choose-files.ts';
import { keepSchedule } from '../../src/schedules/keep-schedule.ts';
import type { ScheduleContext } from '../../src/schedules/run-slot.ts';
import type { Schedule } from '../../src/schedules/schedule.ts';
import { FakeClock } from '../helpers/memory/fake-clock.ts';
import { type RedisServer, startRedisServer } from '../helpers/redis-server.ts';
import { idsOf, inboxOf, keepingLog, NIGHTLY } from './helpers.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server?.stop());

const DAY = 86_400_000;

async function makeNights(options: Partial<Schedule> & { readonly mayGrow?: boolean } = {}) {
  const { mayGrow = false, ...settings } = options;
  const schedule = { ...NIGHTLY, ...settings };
  const book = new RedisScheduleBook(await server.connect(), new RedisKeys(`slot-${randomUUID()}`));
  const clock = new FakeClock(Date.parse('2026-11-28T23:00Z'));
  const store = new MemoryStore();
  const log = keepingLog();
  const batches = new Map<string, readonly string[]>();
  const states = new Map<string, 'open' | 'ended'>();
  const hooks: { beforeSubmit?: () => Promise<void> } = {};
  const context: ScheduleContext = {
    book,
    clock,
    log,
    newId: randomUUID,
    openInbox: async () =>
      inboxOf(
        store,
        async (batchId, source) => {
          await hooks.beforeSubmit?.();
          batches.set(batchId, await idsOf(source));
          states.set(batchId, 'open');
        },
        { mayGrow, prefix: 'in/' },
      ),
    batchState: async (batchId) => states.get(batchId) ?? 'unknown',
    discardBatch: async () => {},
    keepChoice: async () => {},
  };
  const put = async (name: string, text: string) => await store.put(`in/${name}`, Buffer.from(text));
  const look = () => keepSchedule(context, schedule);
  const night = async () => {
    clock.advance(DAY);
    return await look();
  };
  const keys = async () => {
    const found: string[] = [];
    for await (const { key } of store.list('')) found.push(key);
    return found;
  };
  await look();
  return { book, clock, store, log, batches, states, hooks, context, schedule, put, look, night, keys };
}

const line = (id: string) => `{"id": "${id}", "text": "A text of ${id}."}\n`;

describe('a night', () => {
  it('takes what is new and readable, under the id of its slot, and notes what it left', async () => {
    const nights = await makeNights();
    await nights.put('a.jsonl', line('a'));
    await nights.put('sub/b.txt', 'A text of b.');
    await nights.put('.hidden.jsonl', line('hidden'));
    await nights.put('c.jsonl.part', line('c'));
    await nights.put('d.tmp', line('d'));
    await nights.put('empty.jsonl', '');
    expect(await nights.night()).toMatchObject([
      { outcome: 'submitted', batch: 'triage-20261129T0100', files: 2, duplicates: 0, quarantined: 0 },
    ]);
    expect(nights.batches.get('triage-20261129T0100')).toEqual(['a', 'sub/b.txt']);
    expect(nights.log.lines.join('\n')).toContain('schedule:left');
    expect(await nights.night()).toMatchObject([{ outcome: 'empty', files: 0 }]);
  });

  it('takes the same content under another name or put again once, and another content under the same name anew', async () => {
    const nights = await makeNights();
    await nights.put('a.jsonl', line('a'));
    await nights.put('copy.jsonl', line('a'));
    expect(await nights.night()).toMatchObject([{ files: 1, duplicates: 1 }]);
    await nights.put('a.jsonl', line('a'));
    await nights.put('again.jsonl', line('a'));
    expect(await nights.night()).toMatchObject([{ outcome: 'empty', files: 0, duplicates: 2 }]);
    await nights.put('a.jsonl', line('new'));
    await nights.night();
    expect([...nights.batches.values()]).toEqual([['a'], ['new']]);
  });

  it('moves what cannot be read to quarantine with its reason, and neither log nor book quotes it', async () => {
    const nights = await makeNights();
    await nights.put('bad.jsonl', 'geheim: no json\n');
    await nights.put('word.docx', 'geheim');
    await nights.put('mixed.jsonl', `${line('a')}geheim\n`);
    expect(await nights.night()).toMatchObject([{ files: 1, quarantined: 2 }]);
    expect(nights.batches.get('triage-20261129T0100')).toEqual(['a', 'bad invalid_json']);
    expect(await nights.keys()).toEqual([
      'in/mixed.jsonl',
      'in/quarantine/bad.jsonl',
      'in/quarantine/bad.jsonl.reason.txt',
      'in/quarantine/word.docx',
      'in/quarantine/word.docx.reason.txt',
    ]);
    const reason = Buffer.from((await nights.store.get('in/quarantine/bad.jsonl.reason.txt')) ?? []).toString();
    expect(reason).toContain('invalid_json in line 1: ');
    expect(nights.log.lines.join('\n')).not.toContain('geheim');
    expect(JSON.stringify(await nights.book.records('triage', 10))).not.toContain('geheim');
    expect(await nights.night()).toMatchObject([{ outcome: 'empty', quarantined: 0 }]);
  });

  it('with after: archive moves what it has stored, and never takes it from there', async () => {
    const nights = await makeNights({ after: 'archive' });
    await nights.put('sub/a.jsonl', line('a'));
    await nights.put('copy.jsonl', line('a'));
    await nights.night();
    expect(await nights.keys()).toEqual([
      'in/archive/triage-20261129T0100/copy.jsonl',
      'in/archive/triage-20261129T0100/sub/a.jsonl',
    ]);
    expect(await nights.night()).toMatchObject([{ outcome: 'empty' }]);
  });

  it('leaves a file that grows between two looks at a folder for the next night', async () => {
    const nights = await makeNights({ mayGrow: true });
    await nights.put('done.jsonl', line('done'));
    await nights.put('growing.jsonl', line('half'));
    nights.clock.onSleep = async () => await nights.put('growing.jsonl', line('half') + line('whole'));
    await nights.night();
    expect(nights.clock.slept).toEqual([SETTLE_MS]);
    nights.clock.onSleep = undefined;
    await nights.night();
    expect([...nights.batches.values()]).toEqual([['done'], ['half', 'whole']]);
  });

  it('chooses again where a chosen file was replaced or removed before it was read', async () => {
    const nights = await makeNights();
    await nights.put('a.jsonl', line('old'));
    await nights.put('b.jsonl', line('gone'));
    nights.hooks.beforeSubmit = async () => {
      nights.hooks.beforeSubmit = undefined as never;
      delete nights.hooks.beforeSubmit;
      await nights.put('a.jsonl', line('new'));
      await nights.store.delete(['in/b.jsonl']);
    };
    expect(await nights.night()).toMatchObject([{ outcome: 'submitted', files: 1 }]);
    expect([...nights.batches.values()]).toEqual([['new']]);
  });

  it('with overlap: skip is missed while an earlier batch is open, with overlap: queue it is not', async () => {
    for (const [overlap, outcome] of [
      ['skip', 'missed'],
      ['queue', 'submitted'],
    ] as const) {
      const nights = await makeNights({ overlap });
      await nights.put('a.jsonl', line('a'));
      await nights.night();
      await nights.put('b.jsonl', line('b'));
      const [second] = await nights.night();
      expect(second).toMatchObject({ outcome });
      if (outcome === 'missed') expect(second?.why).toContain('triage-20261129T0100 was still open');
      nights.states.set('triage-20261129T0100', 'ended').set('triage-20261130T0100', 'ended');
      await nights.put('c.jsonl', line('c'));
      expect(await nights.night()).toMatchObject([{ outcome: 'submitted', files: overlap === 'skip' ? 2 : 1 }]);
    }
  });

  it('that fails stays due with its reason, and is tried again half a minute later', async () => {
    const nights = await makeNights();
    await nights.put('a.jsonl', line('a'));
    nights.hooks.beforeSubmit = async () => {
      throw new Error('the store is away');
    };
    expect(await nights.night()).toEqual([]);
    expect(await nights.book.read('triage')).toMatchObject({
      due: [{ how: 'calendar' }],
      trouble: { message: 'the store is away' },
    });
    delete nights.hooks.beforeSubmit;
    expect(await nights.look()).toEqual([]);
    nights.clock.advance(30_000);
    expect(await nights.look()).toMatchObject([{ outcome: 'submitted' }]);
    expect((await nights.book.read('triage')).trouble).toBeUndefined();
  });

  it('is missed while the schedule is paused', async () => {
    const nights = await makeNights({ catchUp: 'all' });
    await nights.book.pause('triage', nights.clock.now(), 'anna');
    await nights.put('a.jsonl', line('a'));
    expect(await nights.night()).toEqual([]);
    expect(await nights.book.records('triage', 10)).toMatchObject([
      { outcome: 'missed', why: 'the schedule was paused' },
    ]);
    await nights.book.resume('triage');
    expect(await nights.night()).toMatchObject([{ outcome: 'submitted', files: 1 }]);
  });
});
