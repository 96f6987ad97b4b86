import type { ServerResponse } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { createOpenAiClient } from '../../src/adapters/openai-compatible/client.ts';
import type { ProviderClientOptions } from '../../src/adapters/provider-http/client-options.ts';
import { type CallInLine, ServerLine } from '../../src/adapters/provider-http/server-line.ts';
import type { ModelClient } from '../../src/providers/model-client.ts';
import { API_KEY, CAPABILITIES, REQUEST } from '../contract/model-client-fixture.ts';
import { ProviderServers, sendJson } from '../helpers/provider-server.ts';

const COMPLETION = { choices: [{ message: { content: 'hi' }, finish_reason: 'stop' }] };
const NEVER = new AbortController().signal;

const servers = new ProviderServers();
const clients: ModelClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  await servers[Symbol.asyncDispose]();
});

function open(baseUrl: string, options: Partial<ProviderClientOptions> = {}): ModelClient {
  const client = createOpenAiClient({ name: 'home', baseUrl, apiKey: API_KEY, capabilities: CAPABILITIES, ...options });
  clients.push(client);
  return client;
}

test('an answer moves those up that were sent later, and a failure or a call further back nobody', () => {
  let now = 0;
  const line = new ServerLine(() => now);
  const calls = Array.from({ length: 5 }, () => line.enter());
  const [first, second, third, fourth, fifth] = calls as [CallInLine, CallInLine, CallInLine, CallInLine, CallInLine];
  const movedUpAt = () => [first, third, fifth].map((call) => call.movedUpAt);
  expect(movedUpAt()).toEqual([-Infinity, -Infinity, -Infinity]);
  now = 10;
  line.leave(second, true);
  expect(movedUpAt()).toEqual([-Infinity, 10, 10]);
  now = 20;
  line.leave(fourth, false);
  expect(movedUpAt()).toEqual([-Infinity, 10, 10]);
  line.leave(third, false);
  expect(fifth.movedUpAt).toBe(10);
  now = 30;
  const late = line.enter();
  line.leave(fifth, true);
  expect([first.movedUpAt, late.movedUpAt]).toEqual([-Infinity, 30]);
  line.leave(first, true);
  line.leave(late, true);
  expect(line.enter().movedUpAt).toBe(-Infinity);
});

test('a call that leaves the line tells the next one what it was told', () => {
  let now = 5;
  const line = new ServerLine(() => now);
  const [first, second, third] = [line.enter(), line.enter(), line.enter()];
  line.leave(first, true);
  now = 9;
  line.leave(second, false);
  expect(third.movedUpAt).toBe(5);
});

test('the time limit of a call does not run while the server answers those before it', async () => {
  const limitMs = 500;
  const waiting: ServerResponse[] = [];
  let isBusy = false;
  const workOn = (): void => {
    const response = waiting.shift();
    isBusy = response !== undefined;
    if (response === undefined) return;
    setTimeout(() => {
      sendJson(response, COMPLETION);
      workOn();
    }, 50);
  };
  const url = await servers.http((_, response) => {
    waiting.push(response);
    if (!isBusy) workOn();
  });
  const client = open(`${url}/v1`, { timeoutMs: limitMs });
  // 30 calls of 50 ms: the last one waits for three times its limit.
  const replies = await Promise.all(Array.from({ length: 30 }, () => client.call(REQUEST, NEVER)));
  expect(Math.max(...replies.map(({ durationMs }) => durationMs))).toBeGreaterThan(2 * limitMs);
});

test('a llama.cpp server is known by its header and asked once how many calls it works on at once', async () => {
  const asked: string[] = [];
  const url = await servers.http((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.setHeader('server', 'llama.cpp');
    sendJson(response, request.method === 'GET' ? { total_slots: 3 } : COMPLETION);
  });
  const client = open(`${url}/base/v1`);
  expect(await client.call(REQUEST, NEVER)).not.toHaveProperty('serverSlots');
  let reply = await client.call(REQUEST, NEVER);
  while (reply.serverSlots === undefined) reply = await client.call(REQUEST, NEVER);
  expect(reply.serverSlots).toBe(3);
  expect(asked.filter((line) => line === 'GET /base/props')).toHaveLength(1);
});

test('no other server is asked, but one that the config calls llama.cpp is', async () => {
  const asked: string[] = [];
  const url = await servers.http((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    sendJson(response, COMPLETION);
  });
  await open(`${url}/v1`).call(REQUEST, NEVER);
  await open(`${url}/v1`).call(REQUEST, NEVER);
  expect(asked).toEqual(['POST /v1/chat/completions', 'POST /v1/chat/completions']);
  const named = open(`${url}/v1`, { isLlamaCpp: true });
  while (!asked.includes('GET /props')) await named.call(REQUEST, NEVER);
});

test('a server that loads its model says so in the failure; another 503 does not', async () => {
  let message = 'Loading model';
  const url = await servers.http((_, response) => {
    sendJson(response, { error: { code: 503, message, type: 'unavailable_error' } }, 503);
  });
  const client = open(`${url}/v1`);
  await expect(client.call(REQUEST, NEVER)).rejects.toMatchObject({ failure: 'server_error', serverIsStarting: true });
  message = 'The engine is currently overloaded';
  await expect(client.call(REQUEST, NEVER)).rejects.toMatchObject({ serverIsStarting: false });
});

test('fields that the config adds stand in the body beside those of the program', async () => {
  const bodies: unknown[] = [];
  const seen = await servers.http((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      bodies.push(JSON.parse(body));
      sendJson(response, COMPLETION);
    });
  });
  await open(`${seen}/v1`).call({ ...REQUEST, extra: { service_tier: 'flex', provider: { order: ['a'] } } }, NEVER);
  expect(bodies).toEqual([
    expect.objectContaining({ model: REQUEST.modelId, service_tier: 'flex', provider: { order: ['a'] } }),
  ]);
});
