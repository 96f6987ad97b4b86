import { describe, expect, test } from 'vitest';
import { CallSlots } from '../../src/providers/call-slots.ts';

test('a place that is disposed of twice gets free once', () => {
  const places = new CallSlots({ most: 2 });
  const first = places.take();
  places.take();
  expect(places.free).toBe(0);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  expect(places.free).toBe(1);
});

test('after trouble one place is left, and each success opens another, up to the most', () => {
  const places = new CallSlots({ most: 3 });
  const taken = [places.take(), places.take()];
  places.slowStart();
  expect(places.free).toBe(0);
  for (const place of taken) place[Symbol.dispose]();
  expect(places.free).toBe(1);
  places.succeeded();
  expect(places.free).toBe(2);
  for (let n = 0; n < 5; n += 1) places.succeeded();
  expect(places.free).toBe(3);
});

test('a place that slow start has taken away is not told as free when its call ends', () => {
  const places = new CallSlots({ most: 2 });
  const [first, second] = [places.take(), places.take()];
  places.slowStart();
  first[Symbol.dispose]();
  expect(places.free).toBe(0);
  second[Symbol.dispose]();
  expect(places.free).toBe(1);
});

test('those who wait for a place are asked in turns, so none of them gets all of the places', () => {
  const places = new CallSlots({ most: 1 });
  const got: string[] = [];
  for (const name of ['a', 'b', 'c']) {
    places.onSlotFree(() => {
      if (places.free === 0) return;
      got.push(name);
      held = places.take();
    });
  }
  let held = places.take();
  for (let n = 0; n < 6; n += 1) held[Symbol.dispose]();
  expect(got.toSorted()).toEqual(['a', 'a', 'b', 'b', 'c', 'c']);
});

describe('CallSlots of a server that is not known', () => {
  const LIMIT_MS = 1000;
  const adaptive = () => new CallSlots({ most: 32, start: 4, timeLimitMs: LIMIT_MS });

  test('begin with a few and grow with each quick answer, up to the most', () => {
    const places = adaptive();
    expect(places.open).toBe(4);
    places.succeeded(50);
    expect(places.open).toBe(5);
    for (let n = 0; n < 100; n += 1) places.succeeded(50);
    expect(places.open).toBe(32);
  });

  test('stay as they are where calls take four times as long as alone and a quarter of their limit', () => {
    const places = adaptive();
    places.succeeded(60);
    for (let n = 0; n < 100; n += 1) places.succeeded(300);
    expect(places.open).toBe(5);
  });

  test('grow with calls that take long but do not wait for one another', () => {
    const places = adaptive();
    for (let n = 0; n < 100; n += 1) places.succeeded(400);
    expect(places.open).toBe(32);
  });

  test('shrink where calls wait for most of their limit, down to one', () => {
    const places = adaptive();
    places.succeeded(60);
    for (let n = 0; n < 100; n += 1) places.succeeded(600);
    expect(places.open).toBe(1);
  });

  test('are halved by a call that is cut off, once for all that were under way beside it, and then grow slowly', () => {
    const places = new CallSlots({ most: 32, timeLimitMs: LIMIT_MS });
    for (let n = 0; n < 32; n += 1) places.timedOut(0, 1000);
    expect(places.open).toBe(16);
    places.timedOut(1001, 2000);
    expect(places.open).toBe(8);
    for (let n = 0; n < 8; n += 1) places.succeeded(10);
    expect(places.open).toBe(9);
  });

  test('are as many as the server says, where the config has no number', () => {
    const places = adaptive();
    places.serverHas(1);
    expect(places.open).toBe(1);
    for (let n = 0; n < 9; n += 1) places.succeeded(10);
    expect(places.open).toBe(1);
    const stated = new CallSlots({ most: 8 });
    stated.serverHas(1);
    expect(stated.open).toBe(8);
  });
});
