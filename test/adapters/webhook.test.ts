import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createLog } from '../../src/adapters/pino/pino-log.ts';
import { type WebhookTarget, webhookRequest } from '../../src/adapters/webhook/webhook-request.ts';
import { WebhookSink, type WebhookSinkOptions } from '../../src/adapters/webhook/webhook-sink.ts';
import type { Alert } from '../../src/budgets/alerts.ts';

const SECRET = 'T0Psecret-path-81723';
const TOKEN = '123456:very-secret-bot-token';
const AT = Date.parse('2026-03-01T12:00:00Z');
const ALERT: Alert = {
  scope: 'batch:b1',
  period: '',
  level: '80%',
  message: 'batch:b1: $4.00 of the limit $5.00 are spent (80 %).',
  spent: 4_000_000_000,
  limit: 5_000_000_000,
};

interface Received {
  readonly path: string;
  readonly contentType: string | undefined;
  readonly body: unknown;
}

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** A server that answers each request with the next status, the last one again and again. */
async function recorder(...statuses: number[]) {
  const received: Received[] = [];
  const origin = await listen((request, response) => {
    void bodyOf(request).then((body) => {
      const status = statuses[Math.min(received.length, statuses.length - 1)] ?? 200;
      received.push({ path: request.url ?? '', contentType: request.headers['content-type'], body: JSON.parse(body) });
      response.writeHead(status).end(`answer with ${SECRET}`);
    });
  });
  return { origin, received };
}

/** A sink whose log is kept; nothing is redacted, so that a secret that is logged is seen. */
function openSink(targets: readonly WebhookTarget[], options: Partial<WebhookSinkOptions> = {}) {
  const lines: string[] = [];
  const log = createLog('debug', [], (line) => lines.push(line));
  const sink = new WebhookSink({ targets, log, backoffMs: 1, ...options });
  closing.push(() => sink.close());
  const events = () => lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
  return { sink, lines, events };
}

const generic = (origin: string): WebhookTarget => ({ kind: 'generic', url: `${origin}/${SECRET}` });

describe('WebhookSink', () => {
  test('posts to each kind of webhook what it understands', async () => {
    const { origin, received } = await recorder(200);
    const { sink, events } = openSink([
      generic(origin),
      { kind: 'slack', url: `${origin}/slack` },
      { kind: 'discord', url: `${origin}/discord` },
      { kind: 'telegram', token: TOKEN, chatId: '-100123', baseUrl: origin },
    ]);
    sink.send(ALERT, AT);
    await sink.close();
    const text = `Nightmill, 80% of a limit: ${ALERT.message}`;
    const byPath = new Map(received.map((request) => [request.path, request]));
    expect(new Set(received.map(({ contentType }) => contentType))).toEqual(new Set(['application/json']));
    expect(byPath.get(`/${SECRET}`)?.body).toEqual({
      event: 'budget:alert',
      at: '2026-03-01T12:00:00.000Z',
      scope: 'batch:b1',
      level: '80%',
      message: ALERT.message,
      spentUsd: 4,
      limitUsd: 5,
    });
    expect(byPath.get('/slack')?.body).toEqual({ text });
    expect(byPath.get('/discord')?.body).toEqual({ content: text, allowed_mentions: { parse: [] } });
    expect(byPath.get(`/bot${TOKEN}/sendMessage`)?.body).toEqual({ chat_id: '-100123', text });
    expect(events()).toEqual(Array(4).fill('alert:delivered'));
  });

  test('tries again after 500 and 429, three times in all, and says that the alert is lost', async () => {
    const fixed = await recorder(500, 429, 200);
    const first = openSink([generic(fixed.origin)]);
    first.sink.send(ALERT, AT);
    await first.sink.close();
    expect(fixed.received).toHaveLength(3);
    expect(first.events()).toEqual(['alert:retried', 'alert:retried', 'alert:delivered']);
    const broken = await recorder(503);
    const second = openSink([generic(broken.origin)]);
    second.sink.send(ALERT, AT);
    await second.sink.close();
    expect(broken.received).toHaveLength(3);
    expect(second.events()).toEqual(['alert:retried', 'alert:retried', 'alert:lost']);
    expect(second.lines.at(-1)).toContain('HTTP 503');
  });

  test('does not repeat a request that is refused for good', async () => {
    const { origin, received } = await recorder(404);
    const { sink, events } = openSink([generic(origin)]);
    sink.send(ALERT, AT);
    await sink.close();
    expect(received).toHaveLength(1);
    expect(events()).toEqual(['alert:lost']);
  });

  test('gives up a server that does not answer in time, without holding up the caller', async () => {
    let asked = 0;
    const origin = await listen(() => {
      asked += 1;
    });
    const { sink, lines, events } = openSink([generic(origin)], { timeoutMs: 150 });
    sink.send(ALERT, AT);
    expect(asked).toBe(0);
    await sink.close();
    expect(asked).toBe(3);
    expect(events().at(-1)).toBe('alert:lost');
    expect(lines.at(-1)).toContain('no answer in 150 ms');
  });

  test('sends a burst of alerts to one target one after the other, spaced', async () => {
    const times: number[] = [];
    let busy = 0;
    const origin = await listen((request, response) => {
      busy += 1;
      times.push(performance.now());
      void bodyOf(request).then(() => {
        expect(busy).toBe(1);
        busy -= 1;
        response.end();
      });
    });
    const { sink, events } = openSink([generic(origin)], { spacingMs: 60 });
    for (let index = 0; index < 4; index++) sink.send(ALERT, AT);
    await sink.close();
    expect(events()).toEqual(Array(4).fill('alert:delivered'));
    for (let index = 1; index < 4; index++) {
      expect((times[index] ?? 0) - (times[index - 1] ?? 0)).toBeGreaterThan(50);
    }
  });

  test('one dead target does not keep an alert from another', async () => {
    const { origin, received } = await recorder(200);
    const { sink } = openSink([{ kind: 'slack', url: 'http://127.0.0.1:1/dead' }, generic(origin)]);
    sink.send(ALERT, AT);
    await sink.close();
    expect(received).toHaveLength(1);
  });

  test('close() waits for its grace time only, and then takes no more', async () => {
    const origin = await listen(() => {});
    const { sink, lines } = openSink([generic(origin)], { timeoutMs: 60_000, closeGraceMs: 20 });
    sink.send(ALERT, AT);
    await sink.close();
    await sink.close();
    expect(lines.at(-1)).toContain('the program ended');
    const said = lines.length;
    sink.send(ALERT, AT);
    await sink.close();
    expect(lines).toHaveLength(said);
  });

  test('never logs a URL, a token or what a server answers, whatever goes wrong', async () => {
    const refused = await recorder(400);
    const failing = await recorder(500);
    const silent = await listen((request) => request.socket.destroy());
    const { sink, lines } = openSink([
      generic(refused.origin),
      generic(failing.origin),
      generic(silent),
      generic('http://127.0.0.1:1'),
      { kind: 'generic', url: `not a url ${SECRET}` },
      { kind: 'telegram', token: TOKEN, chatId: '1', baseUrl: silent },
      { kind: 'telegram', token: TOKEN, chatId: '1', baseUrl: `http://${SECRET}.invalid` },
    ]);
    sink.send(ALERT, AT);
    await sink.close();
    expect(lines.filter((line) => line.includes('alert:lost'))).toHaveLength(7);
    // Host names come back in lower case.
    const logged = lines.join('').toLowerCase();
    expect(logged).not.toContain(SECRET.toLowerCase());
    expect(logged).not.toContain(TOKEN);
  });
});

describe('webhookRequest()', () => {
  test('cuts what Discord would refuse, and only that', () => {
    const body = (length: number) => {
      const alert = { ...ALERT, message: 'x'.repeat(length) };
      return (JSON.parse(webhookRequest({ kind: 'discord', url: 'http://h' }, alert, AT).body) as { content: string })
        .content;
    };
    expect(body(2_000)).toHaveLength(2_000);
    expect(body(2_000).endsWith('…')).toBe(true);
    expect(body(100).endsWith('…')).toBe(false);
  });

  test('escapes what Slack would read as a mention or a link', () => {
    const { body } = webhookRequest({ kind: 'slack', url: 'http://h' }, { ...ALERT, message: '<!channel> & co' }, AT);
    expect(JSON.parse(body)).toEqual({ text: 'Nightmill, 80% of a limit: &lt;!channel&gt; &amp; co' });
  });

  test('writes small amounts without an exponent', () => {
    const alert: Alert = { ...ALERT, period: '2026-03', spent: 1, projected: 150, perDocument: 2, usualPerDocument: 3 };
    const { body } = webhookRequest({ kind: 'generic', url: 'http://h' }, alert, AT);
    expect(body).toContain('"period":"2026-03"');
    expect(body).toContain(
      '"spentUsd":0.000000001,"limitUsd":5,"projectedUsd":0.00000015,"perDocumentUsd":0.000000002,"usualPerDocumentUsd":0.000000003',
    );
  });
});
