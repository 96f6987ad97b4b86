import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type FauxqsServer, startFauxqs } from 'fauxqs';
import { expect, it } from 'vitest';
import { createOpenAiClient } from '../../src/adapters/openai-compatible/client.ts';
import { openAgent } from '../../src/adapters/outbound/proxy.ts';
import { probeProvider } from '../../src/adapters/provider-probe.ts';
import { S3Store } from '../../src/adapters/s3-store/s3-store.ts';
import { WebhookSink } from '../../src/adapters/webhook/webhook-sink.ts';
import type { ProxySettings } from '../../src/runtime/proxy-settings.ts';
import { API_KEY, CAPABILITIES, REQUEST } from '../contract/model-client-fixture.ts';
import { freePort } from '../helpers/free-port.ts';
import { ProviderServers, sendJson } from '../helpers/provider-server.ts';
import { ProxyServer } from '../helpers/proxy-server.ts';

const through = (proxy: ProxyServer, noProxy = ''): ProxySettings => ({
  http: `http://${proxy.address}`,
  https: `http://${proxy.address}`,
  noProxy,
});
const NEVER = new AbortController().signal;

it('a call, a probe and a webhook go through the proxy; a host that needs none does not', async () => {
  await using servers = new ProviderServers();
  const url = new URL(
    await servers.http((request, response) => {
      sendJson(
        response,
        request.url?.endsWith('/models') === true
          ? { data: [{ id: 'm' }] }
          : { choices: [{ message: { content: 'hi' }, finish_reason: 'stop' }] },
      );
    }),
  );
  await using proxy = await ProxyServer.start(Number(url.port));
  const open = (settings: ProxySettings) =>
    createOpenAiClient({
      name: 'acme',
      baseUrl: 'http://api.invalid/v1',
      apiKey: API_KEY,
      capabilities: CAPABILITIES,
      proxy: settings,
    });
  const client = open(through(proxy));
  expect(await client.call(REQUEST, NEVER)).toMatchObject({ text: 'hi' });
  await client.close();
  const direct = open(through(proxy, '.invalid'));
  await expect(direct.call(REQUEST, NEVER)).rejects.toMatchObject({ failure: 'unreachable' });
  await direct.close();
  const settings = { kind: 'openai', baseUrl: 'http://api.invalid/v1', headers: {} } as const;
  expect(await probeProvider({ ...settings, proxy: through(proxy) })).toEqual({
    status: 200,
    isList: true,
    models: ['m'],
  });
  const lines: string[] = [];
  const note = (event: string) => void lines.push(event);
  const sink = new WebhookSink({
    targets: [{ kind: 'generic', url: 'http://hooks.invalid/x' }],
    log: { debug: note, info: note, warn: note, error: note } as never,
    proxy: through(proxy),
  });
  sink.send({ scope: 'global/day', period: '', level: '80', message: 'm', spent: 1 } as never, 0);
  await sink.close();
  expect(lines).toEqual(['alert:delivered']);
  expect(proxy.seen).toEqual([
    'POST http://api.invalid/v1/chat/completions',
    'GET http://api.invalid/v1/models',
    'POST http://hooks.invalid/x',
  ]);
});

it('https goes through a tunnel', async () => {
  // No certificate is needed to see where the tunnel leads.
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  await using proxy = await ProxyServer.start((server.address() as AddressInfo).port);
  const agent = openAgent(through(proxy), {});
  await expect(agent.request({ origin: 'https://api.invalid', path: '/', method: 'GET' })).rejects.toThrow();
  await agent.destroy();
  server.close();
  expect(proxy.seen).toEqual(['CONNECT api.invalid:443']);
});

it('the S3 store goes through the proxy', async () => {
  const port = await freePort();
  const server: FauxqsServer = await startFauxqs({ port, logger: false });
  server.createBucket('mill');
  await using proxy = await ProxyServer.start(port);
  const store = new S3Store({
    url: 's3://mill/x',
    endpoint: 'http://objects',
    forcePathStyle: true,
    accessKeyId: 'a',
    secretAccessKey: 'b',
    proxy: through(proxy),
  });
  try {
    await store.put('key', Buffer.from('value'));
    expect(String(await store.get('key'))).toBe('value');
    expect(await text((await store.getStream('key')) as never)).toBe('value');
    expect(proxy.seen.length).toBeGreaterThanOrEqual(3);
  } finally {
    await store.close();
    await server.stop();
  }
});
