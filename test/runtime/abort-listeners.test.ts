import { expect, test } from 'vitest';
import { AbortListeners } from '../../src/runtime/abort-listeners.ts';

function listen() {
  const told: string[] = [];
  const [one, two] = [new AbortController(), new AbortController()];
  const listeners = new AbortListeners<string>((name) => told.push(name));
  return { told, one, two, listeners };
}

test('tells those of the signal that aborts, in their order, once', () => {
  const { told, one, two, listeners } = listen();
  for (const name of ['a', 'b']) listeners.add(one.signal, name);
  listeners.add(two.signal, 'c');
  one.abort();
  one.abort();
  expect(told).toEqual(['a', 'b']);
  two.abort();
  expect(told).toEqual(['a', 'b', 'c']);
});

test('tells nobody that has left, also of those that leave because another was told', () => {
  const { one } = listen();
  const told: string[] = [];
  const listeners: AbortListeners<string> = new AbortListeners((name) => {
    told.push(name);
    listeners.delete(one.signal, 'c');
  });
  for (const name of ['a', 'b', 'c']) listeners.add(one.signal, name);
  listeners.delete(one.signal, 'a');
  listeners.delete(new AbortController().signal, 'b');
  one.abort();
  expect(told).toEqual(['b']);
});

test('tells one that comes while others are told', () => {
  const { one } = listen();
  const told: string[] = [];
  const listeners: AbortListeners<string> = new AbortListeners((name) => {
    told.push(name);
    if (name === 'a') listeners.add(one.signal, 'late');
  });
  listeners.add(one.signal, 'a');
  one.abort();
  expect(told).toEqual(['a', 'late']);
});
