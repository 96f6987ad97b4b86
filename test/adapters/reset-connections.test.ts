import { createServer, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createOpenAiClient } from '../../src/adapters/openai-compatible/client.ts';
import { ModelCallError } from '../../src/providers/failure.ts';
import type { ModelClient } from '../../src/providers/model-client.ts';
import { CAPABILITIES, REQUEST } from '../contract/model-client-fixture.ts';
import { ProviderServers, sendJson } from '../helpers/provider-server.ts';

const COMPLETION = { choices: [{ message: { content: 'hi' }, finish_reason: 'stop' }] };
const NEVER = new AbortController().signal;

const servers = new ProviderServers();
const clients: ModelClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  await servers[Symbol.asyncDispose]();
});

/** A server that is told for each request how many its connection has carried before, and what it has seen in all. */
async function serve(onRequest: (socket: Socket, before: number, response: ServerResponse) => void) {
  const seen = { connections: 0, requests: 0 };
  const carried = new WeakMap<Socket, number>();
  const server = createServer((request, response) => {
    seen.requests += 1;
    const before = carried.get(request.socket) ?? 0;
    carried.set(request.socket, before + 1);
    request.resume().on('end', () => onRequest(request.socket, before, response));
  });
  server.on('connection', () => {
    seen.connections += 1;
  });
  const client = createOpenAiClient({
    name: 'home',
    baseUrl: `${await servers.listen(server)}/v1`,
    capabilities: CAPABILITIES,
  });
  clients.push(client);
  return { client, seen };
}

/** How the calls end, one after the other: `lost` where the connection broke. */
async function callOften(client: ModelClient, times: number): Promise<readonly string[]> {
  const ends: string[] = [];
  for (let call = 0; call < times; call++) ends.push(await endOf(client));
  return ends;
}

async function endOf(client: ModelClient): Promise<string> {
  try {
    await client.call(REQUEST, NEVER);
    return 'answered';
  } catch (error) {
    return error instanceof ModelCallError && error.failure === 'connection_lost' ? 'lost' : String(error);
  }
}

const lost = (ends: readonly string[]) => ends.filter((end) => end === 'lost').length;

describe('a server that ends connections which are used again', () => {
  test.each<readonly [string, (socket: Socket) => void]>([
    ['resets', (socket) => socket.resetAndDestroy()],
    ['closes', (socket) => socket.destroy()],
  ])('and %s them gets a connection for each call after three losses', async (_, end) => {
    const { client } = await serve((socket, before, response) => {
      if (before > 0) end(socket);
      else sendJson(response, COMPLETION);
    });
    const ends = await callOften(client, 20);
    expect(lost(ends)).toBe(3);
    expect(lost(ends.slice(6))).toBe(0);
  });

  test('loses no call on connections that stand idle from before', async () => {
    const waiting: ServerResponse[] = [];
    const { client } = await serve((socket, before, response) => {
      if (before > 0) return void socket.resetAndDestroy();
      // The first eight are answered together, so that each has a connection of its own.
      waiting.push(response);
      if (waiting.length >= 8)
        for (const each of waiting.filter((one) => !one.writableEnded)) sendJson(each, COMPLETION);
    });
    const together = () => Promise.all(Array.from({ length: 8 }, () => endOf(client)));
    expect(lost(await together())).toBe(0);
    expect(lost(await callOften(client, 6))).toBe(3);
    expect(lost(await together())).toBe(0);
  });

  test('is another one than a server that was away once', async () => {
    const away = { is: false };
    const { client, seen } = await serve((socket, _, response) => {
      if (away.is) socket.resetAndDestroy();
      else sendJson(response, COMPLETION);
    });
    await callOften(client, 40);
    away.is = true;
    expect(lost(await Promise.all(Array.from({ length: 5 }, () => endOf(client))))).toBe(5);
    away.is = false;
    const before = seen.connections;
    expect(lost(await callOften(client, 10))).toBe(0);
    expect(seen.connections - before).toBe(1);
  });
});
