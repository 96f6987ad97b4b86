import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/adapters/system/system-clock.ts';
import type { Admission, CallTicket } from '../../src/ledger/ledger.ts';
import { CallSlots } from '../../src/providers/call-slots.ts';
import { AdmissionQueue, type QueueAdmission } from '../../src/quota/admission-queue.ts';
import type { QueuePosition } from '../../src/quota/fair-queue.ts';

const ADMITTED: Admission = { kind: 'admitted' };
const REFUSED: Admission = {
  kind: 'refused',
  refusal: { scope: 'global/day', limit: 10, settled: 0, uncertain: 0, held: 10 },
};
const RATE: Admission = { kind: 'wait', why: 'rate', waitMs: 5 };
const NEVER = new AbortController().signal;

/** One question to the ledger that the test answers. */
interface Asked {
  readonly callId: string;
  readonly answer: (admission: Admission) => void;
  readonly fail: (error: Error) => void;
}

function position(group: string, cost = 10): QueuePosition {
  return { group, turn: 0, slice: 0, tier: 0, cost };
}

/** Only its name matters here. */
const ticketOf = (callId: string) => ({ callId }) as CallTicket;

class TestLine {
  readonly places: CallSlots;
  readonly asked: Asked[] = [];
  readonly line: AdmissionQueue;
  readonly entered: QueueAdmission[] = [];

  constructor(places: CallSlots | number) {
    this.places = typeof places === 'number' ? new CallSlots({ most: places }) : places;
    this.line = new AdmissionQueue({
      places: this.places,
      admit: ({ callId }) =>
        new Promise((resolve, reject) => this.asked.push({ callId, answer: resolve, fail: reject })),
      clock: systemClock,
      random: () => 0,
    });
  }

  async enter(callId: string, group = 'a', signal: AbortSignal = NEVER): Promise<QueueAdmission> {
    const entrance = await this.line.enter(position(group), () => ticketOf(callId), signal);
    if (entrance === 'elsewhere') throw new Error('It has no other line');
    this.entered.push(entrance);
    return entrance;
  }

  /** The next question. */
  async next(): Promise<Asked> {
    for (let n = 0; n < 1_000; n += 1) {
      const first = this.asked.shift();
      if (first !== undefined) return first;
      await turn();
    }
    throw new Error('Nobody asked');
  }
}

describe('AdmissionQueue', () => {
  test('a call that is admitted keeps its place until it is disposed of, then the next one asks', async () => {
    const line = new TestLine(1);
    const first = line.enter('1');
    const second = line.enter('2');
    (await line.next()).answer(ADMITTED);
    const { place } = await first;
    expect(line.places.free).toBe(0);
    expect(line.asked).toHaveLength(0);
    place?.[Symbol.dispose]();
    (await line.next()).answer(ADMITTED);
    expect((await second).ticket.callId).toBe('2');
  });

  test.each([
    ['a refusal of money', REFUSED],
    ['a lost slice', { kind: 'fenced' }],
    ['a wait until tomorrow', { kind: 'wait', why: 'day', waitMs: 3_600_000 }],
  ] as const)('%s frees the place and goes to the caller', async (_, admission) => {
    const line = new TestLine(1);
    const entering = line.enter('1');
    (await line.next()).answer(admission);
    expect(await entering).toEqual({ admission, ticket: { callId: '1' } });
    expect(line.places.free).toBe(1);
  });

  test('an error of the ledger frees the place, goes to its caller, and the line continues', async () => {
    const line = new TestLine(1);
    const first = line.enter('1').catch((error: Error) => error.message);
    const second = line.enter('2');
    (await line.next()).fail(new Error('Redis is away'));
    expect(await first).toBe('Redis is away');
    (await line.next()).answer(ADMITTED);
    expect((await second).place).toBeDefined();
    expect(line.places.free).toBe(0);
  });

  test('a ticket that cannot be made frees the place, and the line continues', async () => {
    const line = new TestLine(1);
    const broken = line.line.enter(
      position('a'),
      () => {
        throw new RangeError('no such time zone');
      },
      NEVER,
    );
    await expect(broken).rejects.toThrow('no such time zone');
    expect(line.places.free).toBe(1);
    const second = line.enter('2');
    (await line.next()).answer(ADMITTED);
    await second;
  });

  test('a caller that gives up while it waits leaves at once and takes nobody’s place', async () => {
    const line = new TestLine(1);
    const first = line.enter('1');
    (await line.next()).answer(ADMITTED);
    const { place } = await first;
    const giveUp = new AbortController();
    const second = line.enter('2', 'a', giveUp.signal);
    await turn();
    giveUp.abort(new Error('stopped'));
    await expect(second).rejects.toThrow('stopped');
    place?.[Symbol.dispose]();
    await turn();
    expect(line.asked).toHaveLength(0);
    expect(line.places.free).toBe(1);
  });

  test('a caller that gives up during its trip gets its answer where money is held, and leaves where it has to wait', async () => {
    const line = new TestLine(2);
    const giveUp = new AbortController();
    const held = line.enter('held', 'a', giveUp.signal);
    const waits = line.enter('waits', 'a', giveUp.signal).catch((error: Error) => error.message);
    const [first, second] = [await line.next(), await line.next()];
    giveUp.abort(new Error('stopped'));
    first.answer(ADMITTED);
    second.answer(RATE);
    expect((await held).place).toBeDefined();
    expect(await waits).toBe('stopped');
    expect(line.places.free).toBe(1);
  });

  test('a caller that gives up while the quota is used up does not stop the others', async () => {
    const line = new TestLine(1);
    const giveUp = new AbortController();
    const first = line.enter('1', 'a', giveUp.signal).catch(() => 'left');
    const second = line.enter('2');
    (await line.next()).answer(RATE);
    await turn();
    giveUp.abort();
    expect(await first).toBe('left');
    const asked = await new Promise<Asked>((resolve) => setTimeout(() => resolve(line.next()), 30));
    expect(asked.callId).toBe('2');
    asked.answer(ADMITTED);
    await second;
  });

  test('one that comes while the last trip ends is asked too', async () => {
    const line = new TestLine(4);
    const first = line.enter('1').then(() => line.enter('2'));
    (await line.next()).answer(ADMITTED);
    (await line.next()).answer(ADMITTED);
    await first;
    expect(line.entered).toHaveLength(2);
  });

  test('one that waits goes elsewhere as soon as it can, the first ones first, and whoever has no other line stays', async () => {
    const line = new TestLine(1);
    const first = line.enter('1');
    (await line.next()).answer(ADMITTED);
    const { place } = await first;
    const gone: string[] = [];
    let room = 0;
    const enter = (callId: string, lines: string) => {
      const goes = () => {
        if (room === 0) return false;
        room -= 1;
        gone.push(callId);
        return true;
      };
      return line.line.enter(position('a'), () => ticketOf(callId), NEVER, { lines, goes });
    };
    const stays = line.enter('2');
    const [third, fourth] = [enter('3', 'a b'), enter('4', 'a b')];
    room = 1;
    expect(await third).toBe('elsewhere');
    expect(gone).toEqual(['3']);
    room = 1;
    expect(await fourth).toBe('elsewhere');
    place?.[Symbol.dispose]();
    (await line.next()).answer(ADMITTED);
    expect((await stays).ticket.callId).toBe('2');
    expect(line.asked).toHaveLength(0);
  });

  test('a call that has gone elsewhere has taken nothing of the quota in advance', () => {
    const { line } = new TestLine(4);
    const stay = line.assign(5_000);
    using other = line.assign(5_000);
    expect(line.outlook(5_000, 0).lagMs).toBeGreaterThan(9_000);
    stay.leave();
    stay[Symbol.dispose]();
    const { lagMs, busyShare } = line.outlook(5_000, 0);
    expect(lagMs).toBeLessThanOrEqual(5_000);
    expect([other !== undefined, busyShare]).toEqual([true, 1 / 4]);
  });

  test('two pools of one provider share its places, also when one of them always has calls waiting', async () => {
    const places = new CallSlots({ most: 1 });
    const busy = new TestLine(places);
    const other = new TestLine(places);
    for (let n = 0; n < 20; n += 1) void busy.enter(`busy ${n}`);
    (await busy.next()).answer(ADMITTED);
    await turn();
    void other.enter('other');
    await turn();
    let served = 0;
    for (; served < 10; served += 1) {
      busy.entered.at(-1)?.place?.[Symbol.dispose]();
      await turn();
      if (other.asked.length > 0) break;
      (await busy.next()).answer(ADMITTED);
      await turn();
    }
    expect(served).toBeLessThanOrEqual(2);
  });
});
