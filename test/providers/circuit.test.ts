import { beforeEach, describe, expect, test } from 'vitest';
import { Circuit, CircuitOpenError } from '../../src/providers/circuit.ts';
import { FakeClock } from '../helpers/memory/fake-clock.ts';

class Outage extends Error {}

let clock: FakeClock;
let opened: number;
let circuit: Circuit;
beforeEach(() => {
  clock = new FakeClock();
  opened = 0;
  circuit = new Circuit({
    failures: 3,
    probeEveryMs: 2_000,
    counts: (error) => error instanceof Outage,
    clock,
    onOpen: () => {
      opened += 1;
    },
  });
});

const succeed = () => circuit.run(async () => 'reply');
const fail = (error: Error = new Outage()) => circuit.run(() => Promise.reject(error)).catch((caught: Error) => caught);
const open = async () => {
  for (let count = 0; count < 3; count += 1) await fail();
};

describe('Circuit', () => {
  test('opens after failures in a row, and then sends nothing', async () => {
    await fail();
    await fail();
    await succeed();
    await fail();
    await fail();
    expect(circuit.isOpen).toBe(false);
    await fail();
    expect([circuit.isOpen, opened]).toEqual([true, 1]);
    await expect(succeed()).rejects.toThrow(CircuitOpenError);
  });

  test('failures that are not the provider’s own never open it and break no row', async () => {
    await fail();
    await fail();
    for (let count = 0; count < 5; count += 1) await fail(new TypeError('ours'));
    expect(circuit.isOpen).toBe(false);
    await fail();
    expect(circuit.isOpen).toBe(true);
  });

  test('one call finds out whether it is over; the others wait for it and follow', async () => {
    await open();
    clock.advance(2_000);
    const probe = Promise.withResolvers<string>();
    const first = circuit.run(() => probe.promise);
    let sent = 0;
    const second = circuit.run(async () => {
      sent += 1;
      return 'second';
    });
    await Promise.resolve();
    expect(sent).toBe(0);
    probe.resolve('first');
    expect(await Promise.all([first, second])).toEqual(['first', 'second']);
    expect(circuit.isOpen).toBe(false);
  });

  test('a probe that fails opens it again, and those that waited are refused', async () => {
    await open();
    clock.advance(2_000);
    const probe = Promise.withResolvers<string>();
    const first = circuit.run(() => probe.promise);
    const second = succeed();
    probe.reject(new Outage());
    await expect(first).rejects.toThrow(Outage);
    await expect(second).rejects.toThrow(CircuitOpenError);
    expect(opened).toBe(2);
    clock.advance(1_999);
    await expect(succeed()).rejects.toThrow(CircuitOpenError);
    clock.advance(1);
    expect(await succeed()).toBe('reply');
  });

  test('a probe that fails for a reason of its own closes it: the provider is there', async () => {
    await open();
    clock.advance(2_000);
    await fail(new TypeError('ours'));
    expect(circuit.isOpen).toBe(false);
  });
});
