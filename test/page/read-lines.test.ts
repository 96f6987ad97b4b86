import { expect, it } from 'vitest';
import { readEvents, readLines } from '../../src/page/read-lines.ts';

function streamOf(...chunks: Uint8Array[]): ReadableStream<Uint8Array> {
  return ReadableStream.from(chunks) as ReadableStream<Uint8Array>;
}

it('lines are read across chunks, also where a character is cut in two', async () => {
  const bytes = new TextEncoder().encode('eins\nzwöi\ndrei');
  const lines = [];
  for await (const line of readLines(streamOf(bytes.slice(0, 8), bytes.slice(8)))) lines.push(line);
  expect(lines).toEqual(['eins', 'zwöi', 'drei']);
});

it('a stream is given up when its reader stops early', async () => {
  let cancelled = false;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new TextEncoder().encode('a\n')),
    cancel: () => {
      cancelled = true;
    },
  });
  for await (const _ of readLines(endless)) break;
  expect(cancelled).toBe(true);
});

it('events are read with their ids; heartbeats and the wait before a new try are none', async () => {
  const text = 'retry: 2000\n\n: still here\n\nid: 7\nevent: batch\ndata: {"a":1}\n\nevent: budget\ndata: 2';
  const events = [];
  for await (const event of readEvents(readLines(streamOf(new TextEncoder().encode(text))))) events.push(event);
  expect(events).toEqual([{ event: 'batch', data: '{"a":1}', id: '7' }]);
});
