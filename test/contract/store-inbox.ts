import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RedisKeys } from '../../src/adapters/redis/keys.ts';
import { RedisScheduleBook } from '../../src/adapters/redis/schedule-book.ts';
import { keepSchedule } from '../../src/schedules/keep-schedule.ts';
import type { ScheduleContext } from '../../src/schedules/run-slot.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { FakeClock } from '../helpers/memory/fake-clock.ts';
import { type RedisServer, startRedisServer } from '../helpers/redis-server.ts';
import { idsOf, inboxOf, keepingLog, NIGHTLY } from '../schedules/helpers.ts';

const DAY = 86_400_000;
/** Stored in parts, so that its ETag is no hash of its content. */
const LARGE_BYTES = 9_000_000;

const line = (id: string) => `{"id": "${id}", "text": "A text of ${id}."}\n`;
const LARGE_IDS = Array.from({ length: 10 }, (_, index) => `large-${index}`);
const large = LARGE_IDS.map((id) => `${JSON.stringify({ id, text: 'x '.repeat(LARGE_BYTES / 20) })}\n`).join('');

/** What an inbox under a prefix must do on a store: each file once, moves, quarantine. Nights come one after another. */
export function describeStoreInbox(name: string, open: () => ObjectStore | Promise<ObjectStore>): void {
  describe(`an inbox on ${name}`, () => {
    let redis: RedisServer;
    let store: ObjectStore;
    const prefix = `inbox-${randomUUID()}/`;
    const batches = new Map<string, readonly string[]>();
    let night: () => ReturnType<typeof keepSchedule>;

    beforeAll(async () => {
      redis = await startRedisServer();
      store = await open();
      const clock = new FakeClock(Date.parse('2026-11-28T23:00Z'));
      const submit: Parameters<typeof inboxOf>[1] = async (id, source) => void batches.set(id, await idsOf(source));
      const context: ScheduleContext = {
        book: new RedisScheduleBook(await redis.connect(), new RedisKeys(`inbox-${randomUUID()}`)),
        clock,
        log: keepingLog(),
        newId: randomUUID,
        openInbox: async () => inboxOf(store, submit, { prefix }),
        batchState: async (id) => (batches.has(id) ? 'open' : 'unknown'),
        discardBatch: async () => {},
        keepChoice: async () => {},
      };
      await keepSchedule(context, { ...NIGHTLY, after: 'archive' });
      night = async () => {
        clock.advance(DAY);
        return await keepSchedule(context, { ...NIGHTLY, after: 'archive' });
      };
    });
    afterAll(async () => {
      await store?.close();
      await redis?.stop();
    });

    const put = (file: string, text: string) => store.put(`${prefix}${file}`, Buffer.from(text));
    const names = async () =>
      (await Array.fromAsync(store.list(prefix))).map(({ key }) => key.slice(prefix.length)).sort();

    it('takes what can be read, leaves what is under way, moves the rest to quarantine, and archives', async () => {
      await store.putStream(`${prefix}large.jsonl`, toStream(large));
      await put('sub/a.jsonl', line('a'));
      await put('b.txt', 'A text of b.');
      await put('c.jsonl.part', line('c'));
      await put('bad.jsonl', 'no json\n');
      expect(await night()).toMatchObject([{ outcome: 'submitted', files: 3, quarantined: 1 }]);
      expect([...(batches.get('triage-20261129T0100') ?? [])].sort()).toEqual(['a', 'b.txt', ...LARGE_IDS]);
      expect(await names()).toEqual([
        'archive/triage-20261129T0100/b.txt',
        'archive/triage-20261129T0100/large.jsonl',
        'archive/triage-20261129T0100/sub/a.jsonl',
        'c.jsonl.part',
        'quarantine/bad.jsonl',
        'quarantine/bad.jsonl.reason.txt',
      ]);
      const moved = await store.get(`${prefix}archive/triage-20261129T0100/large.jsonl`);
      expect(Buffer.from(moved ?? []).equals(Buffer.from(large))).toBe(true);
    });

    it('knows the same content under another name, and another content under the same name', async () => {
      await put('again.jsonl', line('a'));
      await put('sub/a.jsonl', line('new'));
      // In one part where it came in many: another ETag, the same content.
      await put('large-again.jsonl', large);
      expect(await night()).toMatchObject([{ outcome: 'submitted', files: 1, duplicates: 2 }]);
      expect(batches.get('triage-20261130T0100')).toEqual(['new']);
      expect(await night()).toMatchObject([{ outcome: 'empty', files: 0, duplicates: 0 }]);
      expect(batches.size).toBe(2);
    });
  });
}

async function* piecesOf(text: string) {
  for (let at = 0; at < text.length; at += 1_000_000) yield Buffer.from(text.slice(at, at + 1_000_000));
}

function toStream(text: string): Readable {
  return Readable.from(piecesOf(text));
}
