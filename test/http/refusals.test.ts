import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { revokeKey } from '../../src/operations/api-keys.ts';
import { openTestServer, type TestServer } from '../helpers/http-server.ts';
import { batchFile } from '../helpers/openai-endpoint.ts';
import { startTcpRedis, type TcpRedis } from '../helpers/tcp-redis.ts';
import { toJsonl } from '../helpers/workspace.ts';

let redis: TcpRedis;
let server: TestServer;
let red: string;
let blue: string;
let operator: string;

const JSON_TYPE = { 'content-type': 'application/json' };
const NDJSON = { 'content-type': 'application/x-ndjson' };
const SCRIPT = '</script><script>alert(1)</script>';
const ANSI = '\u001b[2J\u001b[31mred';

beforeAll(async () => {
  redis = await startTcpRedis();
  server = await openTestServer({
    redis: redis.url,
    host: '0.0.0.0',
    more: 'allowUnknownTenants: true',
    workflow: 'schedule: { cron: "0 1 * * *", input: inbox }',
  });
  red = await server.key('red', { tenant: 'red' });
  blue = await server.key('blue', { tenant: 'blue' });
  operator = await server.key('night', { rights: 'read,operate' });
  const body = toJsonl([{ id: SCRIPT, text: 'Ticket' }]);
  const made = await server.call('POST', '/api/v1/batches?workflow=triage&id=mine', {
    key: red,
    headers: NDJSON,
    body,
  });
  expect(made.status, made.text).toBe(201);
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

/** As it is written: `fetch` would tidy the path up. */
async function rawStatus(path: string): Promise<number | undefined> {
  const { hostname, port } = new URL(server.url);
  return await new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${red}` };
    const asked = request({ hostname, port, path, headers }, async (response) => {
      await text(response);
      resolve(response.statusCode);
    });
    asked.on('error', reject).end();
  });
}

describe('the server refuses', () => {
  it('keys that are wrong, expired or revoked, and names none of their secrets', async () => {
    const expired = await server.key('old', { expiresAt: 1 });
    const revoked = await server.key('gone');
    await revokeKey(server.app, 'gone');
    for (const key of [`nm_${'A'.repeat(43)}`, 'sk-other', expired, revoked]) {
      for (const path of ['/api/v1/batches', '/v1/files', '/v1/models', '/api/v1/events', '/metrics', '/api/v1/keys']) {
        const answer = await server.call('GET', path, { key });
        expect(answer.status, `${key} ${path}`).toBe(401);
        expect(answer.text).not.toContain(key);
      }
    }
    expect(JSON.stringify(server.logged)).not.toContain('nm_');
  });

  it("another tenant's batch, documents, files, events and budgets", async () => {
    const form = new FormData();
    form.append('purpose', 'batch');
    form.append('file', new Blob([batchFile(1)]), 'in.jsonl');
    const { body: file } = await server.call('POST', '/v1/files', { key: red, body: form });
    const batch = '/api/v1/batches/mine';
    const reads = ['', '/results', '/errors', '/manifest', `/documents/${encodeURIComponent(SCRIPT)}`];
    const others = ['/api/v1/events?batch=mine', `/v1/files/${file.id}`, `/v1/files/${file.id}/content`];
    for (const path of [...reads.map((end) => `${batch}${end}`), ...others]) {
      expect((await server.call('GET', path, { key: blue })).status, path).toBe(404);
    }
    for (const verb of ['pause', 'resume', 'cancel', 'retry']) {
      expect((await server.call('POST', `${batch}/${verb}`, { key: blue })).status, verb).toBe(404);
    }
    expect((await server.call('DELETE', `/v1/files/${file.id}`, { key: blue })).status).toBe(404);
    expect((await server.call('GET', '/v1/files', { key: blue })).body.data).toEqual([]);
    for (const key of [red, blue]) {
      const put = { key, headers: JSON_TYPE, body: '{"limitUsd":9}' };
      expect((await server.call('PUT', '/api/v1/budgets/tenant:red/day', put)).status).toBe(403);
      expect((await server.call('POST', '/api/v1/budgets/global/day/discard', { key })).status).toBe(403);
    }
    expect((await server.call('GET', '/api/v1/budgets', { key: blue })).text).not.toContain('red');
  });

  it('JSON bodies over a megabyte, and ids that lead elsewhere', async () => {
    const large = { key: red, headers: JSON_TYPE, body: JSON.stringify({ codes: ['x'.repeat(2 ** 20)] }) };
    const refused = await server.call('POST', '/api/v1/batches/mine/retry', large);
    expect(refused).toMatchObject({ status: 413, body: { code: 'input_too_large' } });
    for (const id of ['..%2f..%2fetc%2fpasswd', '%2e%2e', 'mine%00', 'mine%0d%0aSet-Cookie:a=b', 'a'.repeat(600)]) {
      for (const path of [`/api/v1/batches/${id}/manifest`, `/v1/files/${id}/content`, `/v1/batches/${id}`]) {
        expect([400, 404, 414], path).toContain(await rawStatus(path));
      }
    }
    expect(await rawStatus('/../../etc/passwd')).toBe(404);
    const named = await server.call('POST', '/api/v1/batches?workflow=triage&id=..%2Fup', {
      key: red,
      headers: NDJSON,
      body: toJsonl([{ id: 'a', text: 'x' }]),
    });
    expect(named).toMatchObject({ status: 400, body: { code: 'usage' } });
  });

  it('amounts that are none, runs that lead elsewhere, and multipart bodies that are cut off', async () => {
    const put = (limitUsd: string) => ({ key: operator, headers: JSON_TYPE, body: `{"limitUsd":${limitUsd}}` });
    const cut = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n{"id":"a","text":"x"}\n';
    const form = (body: string, type = 'multipart/form-data; boundary=b') => ({
      key: red,
      headers: { 'content-type': type },
      body,
    });
    const submit = '/api/v1/batches?workflow=triage&id=cut';
    const answers = [
      await server.call('PUT', '/api/v1/budgets/global/day', put('1e300')),
      await server.call('PUT', '/api/v1/budgets/global/day', put('1e-12')),
      await server.call('GET', '/api/v1/compare?run=../../../etc/passwd&run=b', { key: operator }),
      await server.call('POST', submit, form(cut)),
      await server.call('POST', submit, form('x', 'multipart/form-data')),
      await server.call('POST', '/v1/files', form(cut)),
      await server.call('POST', '/v1/files', form(cut.slice(0, 20))),
    ];
    for (const { status, text } of answers) expect(status, text).toBe(400);
    expect((await server.call('GET', '/api/v1/batches/cut', { key: red })).status).toBe(404);
    expect(server.logged.filter(({ event }) => event === 'http:failed')).toEqual([]);
  });

  it('addresses that cannot be read, in the shape of every other error', async () => {
    for (const path of ['/api/v1/batches/%zz', '/v1/files/%zz/content']) {
      const refused = await server.call('GET', path, { key: red });
      expect(refused).toMatchObject({ status: 400, body: { status: 400, code: 'usage', title: 'Bad Request' } });
      expect(refused.headers.get('content-type')).toBe('application/problem+json');
    }
  });

  it("to name the server's own folders, whatever was asked for", async () => {
    const unknown = { key: red, headers: NDJSON, body: toJsonl([{ id: 'a', text: 'x' }]) };
    const answers = [
      await server.call('POST', '/api/v1/batches?workflow=nobody', unknown),
      await server.call('POST', '/api/v1/plan?workflow=nobody', unknown),
      await server.call('GET', '/api/v1/schedules', { key: red }),
      await server.call('GET', '/api/v1/workflows', { key: red }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 200, 200]);
    for (const { text } of answers) expect(text).not.toContain(server.folder);
    expect(answers[0]?.body.detail).toMatch(/^There is no workflow "nobody" in the config; known: /);
    expect(answers[2]?.body.schedules[0].input).toBe('inbox');
    expect((await server.call('GET', '/api/v1/schedules', { key: operator })).body.schedules[0].input).toBe(
      `${server.folder}/inbox`,
    );
  });

  it('to put a line break of a file name into a header', async () => {
    const boundary = 'b';
    const part = (head: string, content: string) =>
      `--${boundary}\r\nContent-Disposition: form-data; ${head}\r\n\r\n${content}\r\n`;
    const name = 'in%0d%0aSet-Cookie: a=b\u2028.jsonl';
    const body = `${part('name="purpose"', 'batch')}${part(`name="file"; filename="${name}"`, batchFile(1))}--${boundary}--\r\n`;
    const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` };
    const { body: file } = await server.call('POST', '/v1/files', { key: red, headers, body });
    const content = await server.call('GET', `/v1/files/${file.id}/content`, { key: red });
    expect(content.status).toBe(200);
    expect(content.headers.get('set-cookie')).toBeNull();
    expect(content.headers.get('content-disposition')).not.toMatch(/[\r\n\u2028]/);
  });

  it('to let a document id act as markup or as a command of the terminal, and to name its own folders', async () => {
    const answer = await server.call('GET', `/api/v1/batches/mine/documents/${encodeURIComponent(SCRIPT)}`, {
      key: red,
    });
    expect(answer).toMatchObject({ status: 200, body: { id: SCRIPT } });
    // By a type that no browser takes for a page.
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    const body = toJsonl([{ id: ANSI, text: 'Ticket' }]);
    const bad = await server.call('POST', '/api/v1/batches?workflow=triage', { key: red, headers: NDJSON, body });
    expect(bad).toMatchObject({ status: 422, body: { code: 'input_invalid' } });
    expect(bad.body.detail).toContain('- body.jsonl:1: "id" has a control character');
    expect(bad.body.detail).not.toContain('\u001b');
    expect(bad.text).not.toContain(server.folder);
  });
});
