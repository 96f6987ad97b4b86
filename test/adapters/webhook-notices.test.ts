import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import { signedHeaders } from '../../src/adapters/webhook/sign-webhook.ts';
import type { WebhookTarget } from '../../src/adapters/webhook/webhook-request.ts';
import { WebhookSink } from '../../src/adapters/webhook/webhook-sink.ts';
import type { Delivery } from '../../src/budgets/delivery-log.ts';
import type { Notice } from '../../src/budgets/notice.ts';
import { makeTemporaryFolder } from '../helpers/temporary-folder.ts';

const AT = Date.parse('2026-03-01T12:00:00Z');
const NOTICE: Notice = {
  event: 'batch:finished',
  subject: 'night',
  message: 'Batch night (triage) is completed.',
  details: { succeeded: 6 },
  key: 'night',
};
const QUIET = { debug() {}, info() {}, warn() {}, error() {} };

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A real server that answers with these statuses, the last again and again. */
async function receiver(...statuses: number[]) {
  const received: { headers: IncomingHttpHeaders; body: string }[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      received.push({ headers: request.headers, body });
      response.writeHead(statuses[Math.min(received.length, statuses.length) - 1] ?? 200).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, received };
}

async function send(targets: readonly WebhookTarget[], searchPath?: string): Promise<readonly Delivery[]> {
  const deliveries: Delivery[] = [];
  const sink = new WebhookSink({
    targets,
    log: QUIET,
    backoffMs: 1,
    spacingMs: 1,
    newId: () => 'one',
    searchPath,
    deliveries: { append: async (delivery) => void deliveries.push(delivery) },
  });
  sink.send(NOTICE, AT);
  await sink.close();
  return deliveries;
}

test('a signature is that of the Standard Webhooks specification', () => {
  // The example of the specification.
  const headers = signedHeaders(
    'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    '{"test": 2432232314}',
    1_614_265_330_000,
  );
  expect(headers).toEqual({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
  expect(signedHeaders('msg_1', undefined, '{}', 0)).toEqual({ 'webhook-id': 'msg_1', 'webhook-timestamp': '0' });
});

test('what happens is told, signed, with one id over retries, and kept in the delivery log', async () => {
  const { url, received } = await receiver(503, 200);
  const deliveries = await send([{ kind: 'generic', url, secret: 'plain secret' }]);
  expect(received).toHaveLength(2);
  for (const { headers, body } of received) {
    expect(headers['webhook-id']).toBe('msg_one');
    const signed = `msg_one.${headers['webhook-timestamp']}.${body}`;
    const signature = createHmac('sha256', 'plain secret').update(signed).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${signature}`);
    expect(JSON.parse(body)).toEqual({
      event: 'batch:finished',
      at: '2026-03-01T12:00:00.000Z',
      subject: 'night',
      message: NOTICE.message,
      succeeded: 6,
    });
  }
  expect(deliveries).toEqual([
    {
      at: AT,
      message: 'msg_one',
      webhook: 'alerts.webhooks.0',
      kind: 'generic',
      event: 'batch:finished',
      subject: 'night',
      outcome: 'delivered',
      attempts: 2,
    },
  ]);
});

test('what is refused is in the delivery log with its reason; chat services get the sentence', async () => {
  const refusing = await receiver(404);
  const slack = await receiver(200);
  const deliveries = await send([
    { kind: 'generic', url: refusing.url },
    { kind: 'slack', url: slack.url },
  ]);
  expect(deliveries.find(({ kind }) => kind === 'generic')).toMatchObject({
    outcome: 'lost',
    attempts: 1,
    reason: 'HTTP 404',
  });
  expect(refusing.received[0]?.headers['webhook-signature']).toBeUndefined();
  expect(JSON.parse(slack.received[0]?.body ?? '')).toEqual({ text: 'Nightmill: Batch night (triage) is completed.' });
});

test('a program gets the object on its standard input, and nothing of the environment', async () => {
  await using folder = await makeTemporaryFolder();
  const [input, environment] = [join(folder.path, 'input'), join(folder.path, 'environment')];
  process.env['NIGHTMILL_TEST_SECRET'] = 'not for others';
  const script = `cat > "$1"; env > "$2"`;
  const deliveries = await send(
    [{ kind: 'exec', command: ['sh', '-c', script, 'told', input, environment] }],
    process.env['PATH'],
  );
  expect(deliveries).toMatchObject([{ kind: 'exec', outcome: 'delivered', attempts: 1 }]);
  expect(JSON.parse(await readFile(input, 'utf8'))).toMatchObject({ event: 'batch:finished', subject: 'night' });
  expect(await readFile(environment, 'utf8')).not.toContain('not for others');
  delete process.env['NIGHTMILL_TEST_SECRET'];
});

test('a program that fails or is not there is lost at once, for no one knows what it has done', async () => {
  const deliveries = await send(
    [
      { kind: 'exec', command: ['sh', '-c', 'exit 3'] },
      { kind: 'exec', command: ['/nowhere/nothing'] },
    ],
    process.env['PATH'],
  );
  expect(existsSync('/nowhere')).toBe(false);
  expect(deliveries.toSorted((a, b) => (a.webhook < b.webhook ? -1 : 1))).toMatchObject([
    { outcome: 'lost', attempts: 1, reason: 'exit 3' },
    { outcome: 'lost', attempts: 1, reason: 'ENOENT' },
  ]);
});
