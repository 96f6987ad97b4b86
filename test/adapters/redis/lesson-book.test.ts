import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createOpenAiClient } from '../../../src/adapters/openai-compatible/client.ts';
import { RedisLessonBook } from '../../../src/adapters/redis/lesson-book.ts';
import { LESSON_DAYS } from '../../../src/providers/lesson-book.ts';
import { API_KEY, CAPABILITIES, REQUEST } from '../../contract/model-client-fixture.ts';
import { FakeClock } from '../../helpers/memory/fake-clock.ts';
import { ProviderServers, sendJson } from '../../helpers/provider-server.ts';
import { type RedisServer, startRedisServer } from '../../helpers/redis-server.ts';
import { Cluster } from './fixture.ts';

let server: RedisServer;
const servers = new ProviderServers();
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(async () => {
  await servers[Symbol.asyncDispose]();
  await server?.stop();
});

const TAUGHT = { provider: 'acme', baseUrl: 'http://acme/v1' };
const MINUTE = 60_000;

async function openBook() {
  const { redis, keys } = new Cluster(await server.connect());
  const clock = new FakeClock();
  return { clock, book: new RedisLessonBook(redis, keys, clock) };
}

test('what two workers learn of one model at once is kept together, by provider and address', async () => {
  const { book } = await openBook();
  await Promise.all([
    book.add(TAUGHT, 'org/small:free', { maxTokensField: 'max_completion_tokens' }),
    book.add(TAUGHT, 'org/small:free', { logprobs: false }),
    book.add(TAUGHT, 'large', { structuredOutput: 'prompt' }),
  ]);
  expect(await book.read(TAUGHT)).toEqual(
    new Map([
      ['org/small:free', { maxTokensField: 'max_completion_tokens', logprobs: false }],
      ['large', { structuredOutput: 'prompt' }],
    ]),
  );
  expect(await book.read({ ...TAUGHT, baseUrl: 'http://elsewhere/v1' })).toEqual(new Map());
  expect(await book.read({ ...TAUGHT, provider: 'other' })).toEqual(new Map());
});

test('a lesson is forgotten in time, since servers change', async () => {
  const { book, clock } = await openBook();
  await book.add(TAUGHT, 'small', { temperature: false });
  clock.advance((LESSON_DAYS * 24 * 60 - 1) * MINUTE);
  await book.add(TAUGHT, 'small', { logprobs: false });
  expect((await book.read(TAUGHT)).get('small')).toEqual({ temperature: false, logprobs: false });
  clock.advance(2 * MINUTE);
  expect((await book.read(TAUGHT)).get('small')).toEqual({ logprobs: false });
});

test('a second worker asks at once as the first has learnt to, and unlearns what holds no longer', async () => {
  const { book } = await openBook();
  const seen: string[] = [];
  let taken = 'max_completion_tokens';
  const origin = await servers.http(async (request, response) => {
    const body = JSON.parse(await text(request)) as Record<string, unknown>;
    const field = 'max_tokens' in body ? 'max_tokens' : 'max_completion_tokens';
    seen.push(field);
    if (field === taken) {
      const message = { role: 'assistant', content: 'yes' };
      return sendJson(response, { id: 'c', choices: [{ message, finish_reason: 'stop' }], usage: {} });
    }
    return sendJson(response, { error: { message: `Unsupported parameter: '${field}' is not supported.` } }, 400);
  });
  const callOnce = async (lessons?: RedisLessonBook) => {
    const options = { name: 'acme', baseUrl: `${origin}/v1`, apiKey: API_KEY, capabilities: CAPABILITIES };
    const client = createOpenAiClient({ ...options, ...(lessons === undefined ? {} : { lessons }) });
    try {
      return (await client.call(REQUEST, new AbortController().signal)).text;
    } finally {
      await client.close();
    }
  };
  expect([await callOnce(book), seen.splice(0)]).toEqual(['yes', ['max_tokens', 'max_completion_tokens']]);
  expect([await callOnce(book), seen.splice(0)]).toEqual(['yes', ['max_completion_tokens']]);
  taken = 'max_tokens';
  expect([await callOnce(book), seen.splice(0)]).toEqual(['yes', ['max_completion_tokens', 'max_tokens']]);
  expect([await callOnce(book), seen.splice(0)]).toEqual(['yes', ['max_tokens']]);

  const broken = { read: () => Promise.reject(new Error('down')), add: () => Promise.reject(new Error('down')) };
  taken = 'max_completion_tokens';
  expect(await callOnce(broken as unknown as RedisLessonBook)).toBe('yes');
});
