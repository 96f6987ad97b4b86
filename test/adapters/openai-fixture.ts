import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { afterEach } from 'vitest';
import { createOpenAiClient } from '../../src/adapters/openai-compatible/client.ts';
import type { ProviderClientOptions } from '../../src/adapters/provider-http/client-options.ts';
import type { ModelClient, ModelRequest } from '../../src/providers/model-client.ts';
import { API_KEY, CAPABILITIES, REQUEST } from '../contract/model-client-fixture.ts';
import { ProviderServers } from '../helpers/provider-server.ts';

// Clients and servers of one test are closed after it.

export const COMPLETION = {
  id: 'chatcmpl-1',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
  usage: {
    prompt_tokens: 20,
    completion_tokens: 7,
    total_tokens: 27,
    prompt_tokens_details: { cached_tokens: 16 },
    completion_tokens_details: { reasoning_tokens: 3 },
  },
};

export const servers = new ProviderServers();
const clients: ModelClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  await servers[Symbol.asyncDispose]();
});

export function open(baseUrl: string, options: Partial<ProviderClientOptions> = {}): ModelClient {
  const client = createOpenAiClient({ name: 'acme', baseUrl, apiKey: API_KEY, capabilities: CAPABILITIES, ...options });
  clients.push(client);
  return client;
}

/** A client of a server that answers every call in this way. */
export async function openAgainst(
  listener: RequestListener,
  options: Partial<ProviderClientOptions> = {},
): Promise<ModelClient> {
  return open(`${await servers.http(listener)}/v1`, options);
}

/** A client of a TCP server that gets each connection's socket once a request has arrived on it. */
export async function openAgainstRaw(onRequest: (socket: Socket) => void): Promise<ModelClient> {
  return open(`${await servers.tcp(onRequest)}/v1`);
}

export function call(client: ModelClient, request: Partial<ModelRequest> = {}, signal = new AbortController().signal) {
  return client.call({ ...REQUEST, ...request }, signal);
}

export const answering = async (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  open(`${await servers.answering(body, status, headers)}/v1`);

export const answeringChoice = (choice: unknown) => answering({ ...COMPLETION, choices: [choice] });
