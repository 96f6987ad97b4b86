import { describe, expect, it } from 'vitest';
import { type HostView, orderHosts } from '../../src/calls/choose-host.ts';

const IDLE: HostView = { failures: 0, startsInMs: 0, lagMs: 0, busyShare: 0, cost: 100, callMs: 200 };
const host = (name: string, view: Partial<HostView> = {}) => ({ ...IDLE, name, ...view });
const names = (hosts: readonly { readonly name: string }[]) => hosts.map(({ name }) => name).join(' ');

describe('orderHosts()', () => {
  it('keeps the order of the config where nothing tells hosts apart', () => {
    for (const spread of ['quota', 'cheapest', 'fastest'] as const) {
      expect(names(orderHosts([host('a'), host('b')], spread))).toBe('a b');
    }
  });

  it('by quota goes where it starts soonest, then where most quota and most places are free', () => {
    expect(names(orderHosts([host('a', { startsInMs: 500 }), host('b', { startsInMs: 20 })], 'quota'))).toBe('b a');
    expect(names(orderHosts([host('a', { lagMs: 500 }), host('b')], 'quota'))).toBe('b a');
    expect(names(orderHosts([host('a', { busyShare: 0.5 }), host('b', { busyShare: 0.25 })], 'quota'))).toBe('b a');
  });

  it('cheapest takes the cheapest that is free, and what starts soonest where none is', () => {
    const dear = host('dear', { cost: 300 });
    const cheap = host('cheap', { busyShare: 0.9, lagMs: 900 });
    expect(names(orderHosts([dear, cheap], 'cheapest'))).toBe('cheap dear');
    expect(names(orderHosts([dear, { ...cheap, startsInMs: 1 }], 'cheapest'))).toBe('dear cheap');
    const waiting = { ...dear, startsInMs: 40 };
    expect(names(orderHosts([{ ...cheap, startsInMs: 50 }, waiting], 'cheapest'))).toBe('dear cheap');
    expect(names(orderHosts([waiting, { ...cheap, startsInMs: 40 }], 'cheapest'))).toBe('cheap dear');
    expect(names(orderHosts([host('unknown', { cost: undefined }), dear], 'cheapest'))).toBe('dear unknown');
  });

  it('fastest goes where the reply is there soonest, the wait for its start included', () => {
    const slow = host('slow', { callMs: 900 });
    const fast = host('fast', { callMs: 300 });
    expect(names(orderHosts([slow, fast], 'fastest'))).toBe('fast slow');
    expect(names(orderHosts([{ ...fast, startsInMs: 700 }, slow], 'fastest'))).toBe('slow fast');
  });

  it('fastest measures a host that it does not know by one call', () => {
    const known = host('known', { callMs: 300, busyShare: 0.5 });
    const unknown = host('unknown', { callMs: undefined });
    expect(names(orderHosts([known, unknown], 'fastest'))).toBe('unknown known');
    expect(names(orderHosts([{ ...unknown, busyShare: 0.1, lagMs: 10 }, known], 'fastest'))).toBe('known unknown');
  });

  it('leaves a host that this call has failed at for last', () => {
    expect(names(orderHosts([host('a', { failures: 1, cost: 1 }), host('b', { startsInMs: 9 })], 'cheapest'))).toBe(
      'b a',
    );
  });
});
