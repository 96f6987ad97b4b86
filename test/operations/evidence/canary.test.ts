import { describe, expect, test } from 'vitest';
import { askCanary } from '../../../src/operations/evidence/canary/canary.ts';
import {
  afterProbe,
  type CanaryProbe,
  type CanaryRecord,
} from '../../../src/operations/evidence/canary/canary-record.ts';
import { ModelCallError } from '../../../src/providers/failure.ts';
import { GLOBAL_DAY } from '../../contract/cluster.ts';
import { labelReply, MemoryApp, SMALL } from '../../helpers/memory/memory-app.ts';

const GOOD: CanaryProbe = { at: 1, model: 'small-1', latencyMs: 5, format: 1, label: 1, answers: 'same' };

/** What people are told after each of these probes. */
function told(...probes: readonly Partial<CanaryProbe>[]) {
  let record: CanaryRecord | undefined;
  return probes.map((probe) => {
    const after = afterProbe(record, { ...GOOD, ...probe });
    record = after.record;
    return after.news?.kind;
  });
}

describe('afterProbe()', () => {
  test('tells of the second bad probe in a row, once, and again after a good one', () => {
    const [bad, good] = [{ label: 0.5 }, {}];
    expect(told(bad, good, bad, bad, bad, good, { failure: 'timeout' }, { format: 0.5 })).toEqual([
      ...[undefined, undefined, undefined, 'failing', undefined, undefined],
      ...[undefined, 'failing'],
    ]);
  });

  test('tells of another model or build in the provider’s words', () => {
    expect(told({ served: 'a 1' }, {}, { served: 'a 1' }, { served: 'a 2' }, { served: 'a 2' })).toEqual([
      ...[undefined, undefined, undefined, 'changed', undefined],
    ]);
  });

  test('tells of other answers twice in a row where they had been the same, and not of a model that never repeats itself', () => {
    expect(told({}, {}, {}, { answers: 'x' }, { answers: 'x' }, { answers: 'x' })).toEqual([
      ...[undefined, undefined, undefined, undefined, 'changed', undefined],
    ]);
    const varied = ['a', 'b', 'c', 'd', 'd', 'e'].map((answers) => ({ answers }));
    expect(told(...varied)).toEqual(varied.map(() => undefined));
    expect(told({}, {}, {}, { answers: 'x', model: 'small-2' }, { answers: 'x', model: 'small-2' })).toEqual(
      Array(5).fill(undefined),
    );
  });
});

async function open() {
  const memory = await MemoryApp.open();
  const closed: string[] = [];
  const app = {
    slices: memory.slices,
    breaker: { notify: memory.notify },
    clock: memory.clock,
    log: memory.log,
    config: { workflows: new Map(), timezone: 'UTC' },
    lease: { hold: async () => ({ [Symbol.asyncDispose]: async () => {} }) },
    owners: {
      open: async () => memory.cluster.claim(await memory.cluster.queuedBatch()),
      close: async ({ batchId }: { batchId: string }) => closed.push(batchId) > 0,
    },
  };
  return { memory, closed, ask: () => askCanary(app as never, SMALL, new AbortController().signal) };
}

describe('askCanary()', () => {
  test('asks three questions through the books, and tells people when the provider fails twice', async () => {
    const { memory, closed, ask } = await open();
    memory.answer = ({ messages }) => {
      const text = messages.at(-1)?.content ?? '';
      return labelReply(text.includes('invoice') ? 'billing' : text.includes('error') ? 'bug' : 'thanks');
    };
    expect(await ask()).toMatchObject({ model: 'small-1', latencyMs: 5, format: 1, label: 1 });
    const day = new Date(memory.clock.now()).toISOString().slice(0, 10);
    expect(await memory.ledger.totals({ ...GLOBAL_DAY, period: day })).toMatchObject({ settled: 63_000, held: 0 });
    memory.answer = () => {
      throw new ModelCallError('It is broken.', { failure: 'server_error', billing: 'none', status: 500 });
    };
    expect(await ask()).toMatchObject({ failure: expect.any(String) });
    expect(memory.notices).toEqual([]);
    await ask();
    expect(memory.notices).toMatchObject([{ event: 'canary:failing', subject: 'acme' }]);
    expect(closed).toHaveLength(3);
  });

  test('a limit without room says nothing of the provider', async () => {
    const { memory, ask } = await open();
    await memory.ledger.setLimit('global/day', 1);
    expect(await ask()).toBeUndefined();
    expect(memory.evidence.records.size).toBe(0);
  });
});
