import { expect, test } from 'vitest';
import { Places } from '../../src/providers/call-slots.ts';

test('a place that is disposed of twice gets free once', () => {
  const places = new Places(2);
  const first = places.take();
  places.take();
  expect(places.free).toBe(0);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  expect(places.free).toBe(1);
});

test('after trouble one place is left, and each success opens another, up to the most', () => {
  const places = new Places(3);
  const taken = [places.take(), places.take()];
  places.startSlowly();
  expect(places.free).toBe(0);
  for (const place of taken) place[Symbol.dispose]();
  expect(places.free).toBe(1);
  places.succeeded();
  expect(places.free).toBe(2);
  for (let n = 0; n < 5; n += 1) places.succeeded();
  expect(places.free).toBe(3);
});

test('a place that slow start has taken away is not told as free when its call ends', () => {
  const places = new Places(2);
  const [first, second] = [places.take(), places.take()];
  places.startSlowly();
  first[Symbol.dispose]();
  expect(places.free).toBe(0);
  second[Symbol.dispose]();
  expect(places.free).toBe(1);
});

test('those who wait for a place are asked in turns, so none of them gets all of the places', () => {
  const places = new Places(1);
  const got: string[] = [];
  for (const name of ['a', 'b', 'c']) {
    places.onFree(() => {
      if (places.free === 0) return;
      got.push(name);
      held = places.take();
    });
  }
  let held = places.take();
  for (let n = 0; n < 6; n += 1) held[Symbol.dispose]();
  expect(got.toSorted()).toEqual(['a', 'a', 'b', 'b', 'c', 'c']);
});
