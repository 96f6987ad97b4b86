import { get } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync, type Inflate, inflateRawSync } from 'node:zlib';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { HttpModel } from '../helpers/http-model.ts';
import { startTcpRedis } from '../helpers/tcp-redis.ts';
import { configYaml, makeDocuments, toJsonl, Workspace } from '../helpers/workspace.ts';

const model = await HttpModel.start();
const workspace = await Workspace.make({ 'nightmill.yaml': configYaml({ url: model.url }) });
/** The whole product on one machine. The tests share it, each with batches of its own. */
const server = await serve(workspace);

beforeEach(() => model.reset());
afterAll(async () => {
  await workspace[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
});

const documents = makeDocuments(30);
const ids = documents.map(({ id }) => id);
/** Polling without a pause would keep the server from its work. */
const POLL_MS = 25;
const NDJSON = { 'content-type': 'application/x-ndjson' };

/** `nightmill serve` in a folder, and requests to it. */
async function serve(workspace: Workspace, ...args: string[]) {
  const cli = workspace.start(['serve', '--port', '0', ...args]);
  await cli.prints(/serving on http\S+/);
  const url = /serving on (http[^\s,"]+)/.exec(cli.stderr)?.[1] ?? '';
  const call = async (method: string, path: string, init: RequestInit & { key?: string } = {}) => {
    const { key, headers, ...rest } = init;
    const authorization = key === undefined ? {} : { authorization: `Bearer ${key}` };
    const response = await fetch(`${url}${path}`, { method, headers: { ...headers, ...authorization }, ...rest });
    const text = await response.text();
    const type = response.headers.get('content-type') ?? '';
    const json = type.includes('json') && !type.includes('ndjson');
    return { status: response.status, headers: response.headers, text, body: json ? JSON.parse(text) : undefined };
  };
  const ended = async (id: string) => {
    for (;;) {
      const { body } = await call('GET', `/api/v1/batches/${id}`);
      if (['completed', 'cancelled', 'expired'].includes(body.state)) return body;
      await delay(POLL_MS);
    }
  };
  return { cli, url, call, ended };
}

/** As it comes over the wire, gzip accepted. */
async function rawBody(url: string): Promise<Buffer> {
  return await new Promise((resolve, reject) => {
    const request = get(url, { headers: { 'accept-encoding': 'gzip' } }, (response) => resolve(buffer(response)));
    request.on('error', reject);
  });
}

describe('nightmill serve', () => {
  it('is the whole product on one machine: submit, watch, download, ask again', async () => {
    const { url, call, ended } = server;
    const path = '/api/v1/batches?workflow=triage&id=night&budgetUsd=1&name=first&label=team%3Da';
    model.answer = ({ document }) =>
      document.includes('Ticket 3:') ? { content: 'no idea' } : { content: '{"label":"billing","confidence":0.9}' };
    const created = await call('POST', path, { headers: NDJSON, body: toJsonl(documents) });
    expect(created).toMatchObject({
      status: 201,
      body: { id: 'night', limitUsd: 1, name: 'first', labels: { team: 'a' } },
    });
    expect(created.headers.get('location')).toBe('/api/v1/batches/night');
    expect(await ended('night')).toMatchObject({
      state: 'completed',
      documents: { total: 30, succeeded: 29, failed: 1 },
    });
    const same = await call('POST', path, {
      headers: { ...NDJSON, 'content-encoding': 'gzip' },
      body: gzipSync(toJsonl(documents)),
    });
    expect(same).toMatchObject({ status: 200, body: { id: 'night' } });
    const other = await call('POST', path, { headers: NDJSON, body: toJsonl(documents.slice(1)) });
    expect(other).toMatchObject({ status: 409, body: { code: 'batch_exists', status: 409 } });
    expect(other.headers.get('content-type')).toBe('application/problem+json');

    const whole = await call('GET', '/api/v1/batches/night/results', { headers: { 'accept-encoding': 'identity' } });
    const rows = whole.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows.map(({ id }) => id)).toEqual(ids.filter((id) => id !== 'doc-3'));
    const part = await call('GET', '/api/v1/batches/night/results', {
      headers: { 'accept-encoding': 'identity', range: 'bytes=10-29' },
    });
    expect(part).toMatchObject({ status: 206, text: whole.text.slice(10, 30) });
    expect(part.headers.get('content-range')).toBe(`bytes 10-29/${Buffer.byteLength(whole.text)}`);
    const outside = await call('GET', '/api/v1/batches/night/results', {
      headers: { 'accept-encoding': 'identity', range: 'bytes=99999999-' },
    });
    expect(outside.status).toBe(416);
    const packed = await call('GET', '/api/v1/batches/night/results', { headers: { 'accept-encoding': 'gzip' } });
    expect(packed.headers.get('content-encoding')).toBe('gzip');
    expect(packed.text).toBe(whole.text);
    // Browsers and httpx read the first gzip member only.
    const raw = await rawBody(`${url}/api/v1/batches/night/results`);
    const { engine } = inflateRawSync(raw.subarray(10), { info: true }) as unknown as { engine: Inflate };
    expect(10 + engine.bytesWritten + 8).toBe(raw.length);

    model.answer = () => ({ content: '{"label":"bug","confidence":0.9}' });
    expect(await call('POST', '/api/v1/batches/night/retry')).toMatchObject({
      status: 201,
      body: { retry: 'night.retry-1' },
    });
    expect(await ended('night')).toMatchObject({ documents: { succeeded: 30 } });
    const manifest = await call('GET', '/api/v1/batches/night/manifest');
    expect(manifest.body).toMatchObject({ batch: 'night', documents: { total: 30, succeeded: 30 } });
    const again = await call('POST', '/api/v1/batches/night/retry', {
      headers: { 'content-type': 'application/json' },
      body: '{"codes":["x"]}',
    });
    expect(again).toMatchObject({ status: 409, body: { code: 'batch_state' } });

    const status = await fetch(`${url}/api/v1/batches/night`).then((response) => response.json());
    expect(await workspace.json(['status', 'night'])).toEqual(status);
    const { entries } = (await call('GET', '/api/v1/audit')).body;
    const ofNight = entries.filter(({ target }: { target: string }) => target === 'night');
    expect(ofNight.map(({ action }: { action: string }) => action)).toEqual(['batch:retry', 'batch:submit']);
    expect(await workspace.json<unknown[]>(['audit'])).toEqual(entries);
  });

  it('reads CSV, multipart and plans; names what is wrong and what is not there', async () => {
    const { call, ended } = server;
    const csv = 'id,text\na,The invoice is wrong\nb,The page fails\n';
    const table = await call('POST', '/api/v1/batches?workflow=triage', {
      headers: { 'content-type': 'text/csv' },
      body: csv,
    });
    expect(table).toMatchObject({ status: 201, body: { documents: { total: 2 } } });
    const form = new FormData();
    form.append('note', 'a field');
    form.append('file', new Blob([csv]), 'one.csv');
    form.append('file', new Blob([toJsonl(documents.slice(0, 3))]), 'two.jsonl');
    const files = await call('POST', '/api/v1/batches?workflow=triage&id=files', { body: form });
    expect(files).toMatchObject({ status: 201, body: { documents: { total: 5 } } });
    expect(await ended('files')).toMatchObject({ documents: { succeeded: 5 } });
    const plan = await call('POST', '/api/v1/plan?workflow=triage', { headers: NDJSON, body: toJsonl(documents) });
    expect(plan).toMatchObject({ status: 200, body: { documents: 30, problems: 0 } });
    expect(plan.body.costUsd.expected).toBeGreaterThan(0);

    const bad = await call('POST', '/api/v1/batches?workflow=triage', {
      headers: NDJSON,
      body: '{"id":"a","text":"x"}\n{"id":"a"\n{"id":"b"}\n',
    });
    expect(bad).toMatchObject({ status: 422, body: { code: 'input_invalid' } });
    expect(bad.body.detail).toMatch(/2[\s\S]*3/);
    expect(await call('POST', '/api/v1/batches?workflow=nobody', { headers: NDJSON, body: '' })).toMatchObject({
      status: 404,
      body: { code: 'workflow_unknown' },
    });
    expect(await call('POST', '/api/v1/batches', { headers: NDJSON, body: '' })).toMatchObject({ status: 400 });
    expect(await call('GET', '/api/v1/batches/nobody')).toMatchObject({ status: 404, body: { code: 'batch_unknown' } });
    expect(await call('GET', '/api/v1/batches/..%2f..%2fetc%2fpasswd/manifest')).toMatchObject({ status: 404 });
    expect(await call('GET', '/nothing')).toMatchObject({ status: 404 });
    expect(
      await call('PUT', '/api/v1/budgets/nonsense', {
        headers: { 'content-type': 'application/json' },
        body: '{"limitUsd":1}',
      }),
    ).toMatchObject({ status: 404, body: { code: 'scope_unknown' } });
    expect(
      await call('PUT', '/api/v1/budgets/global%2Fday', {
        headers: { 'content-type': 'application/json' },
        body: '{"limitUsd":"x"}',
      }),
    ).toMatchObject({ status: 400 });
    for (const path of [
      '/healthz',
      '/readyz',
      '/openapi.json',
      '/docs',
      '/api/v1/workflows',
      '/api/v1/quota',
      '/api/v1/workers',
      '/api/v1/workers-wanted',
    ]) {
      expect(await call('GET', path), path).toMatchObject({ status: 200 });
    }
    const page = await call('GET', '/api/v1/batches?limit=1');
    const next = await call('GET', `/api/v1/batches?limit=1&after=${page.body.next}`);
    expect([page.body.batches[0].id, next.body.batches[0].id]).toEqual(['files', table.body.id]);
  });

  it('tells of a breach as it happens, and a raised limit resumes it', async () => {
    const { url, call, ended } = server;
    const stream = await fetch(`${url}/api/v1/events`);
    const seen = readEvents(stream);
    await call('POST', '/api/v1/batches?workflow=triage&id=b&budgetUsd=0.0003', {
      headers: NDJSON,
      body: toJsonl(documents),
    });
    const paused = await seen((event, data) => event === 'breaker' && data.state === 'open');
    expect(paused).toMatchObject({ id: 'b', cause: 'budget', scope: 'batch:b' });
    const raised = await call('PUT', '/api/v1/budgets/batch:b', {
      headers: { 'content-type': 'application/json' },
      body: '{"limitUsd":2}',
    });
    expect(raised).toMatchObject({ status: 200, body: { beforeUsd: 0.0003, limitUsd: 2 } });
    expect(await seen((event, data) => event === 'batch' && data.state === 'completed')).toMatchObject({
      id: 'b',
      limitUsd: 2,
    });
    expect(await ended('b')).toMatchObject({ documents: { succeeded: 30 } });
    const { body } = await call('GET', '/api/v1/budgets');
    expect(body.budgets).toContainEqual(expect.objectContaining({ scope: 'global/day', heldUsd: 0 }));
  });

  it('keeps tenants apart, and does what a key may do', async () => {
    await using redis = await startTcpRedis();
    const config = configYaml({ url: model.url, redis: redis.url, more: 'allowUnknownTenants: true' });
    await using workspace = await Workspace.make({ 'nightmill.yaml': config });
    const open = await workspace.run(['serve', '--host', '0.0.0.0', '--port', '0']);
    expect(open).toMatchObject({ code: 2 });
    expect(open.stderr).toContain('nightmill key create');
    const key = async (name: string, ...more: string[]) =>
      (await workspace.json<{ secret: string }>(['key', 'create', '--name', name, ...more])).secret;
    const red = await key('red', '--tenant', 'red');
    const blue = await key('blue', '--tenant', 'blue', '--rights', 'read');
    const chief = await key('chief', '--rights', 'operate');
    expect(red).toMatch(/^nm_/);
    const { call, url } = await serve(workspace, '--host', '0.0.0.0', '--no-worker');
    const local = url.replace('0.0.0.0', '127.0.0.1');
    expect((await fetch(`${local}/healthz`)).status).toBe(200);
    expect(await call('GET', '/api/v1/batches')).toMatchObject({ status: 401, body: { code: 'key_invalid' } });
    expect(await call('GET', '/api/v1/batches', { key: `nm_${'A'.repeat(43)}` })).toMatchObject({ status: 401 });
    const submit = (as: string, query = '') =>
      call('POST', `/api/v1/batches?workflow=triage${query}`, { key: as, headers: NDJSON, body: toJsonl(documents) });
    expect(await submit(blue)).toMatchObject({ status: 403, body: { code: 'right_missing' } });
    expect(await submit(red, '&tenant=blue')).toMatchObject({ status: 403 });
    const batch = await submit(red, '&id=mine');
    expect(batch).toMatchObject({ status: 201, body: { tenant: 'red' } });
    for (const path of ['', '/results?partial=true', '/errors', '/manifest']) {
      expect(await call('GET', `/api/v1/batches/mine${path}`, { key: blue }), path).toMatchObject({ status: 404 });
    }
    expect(await call('GET', '/api/v1/events?batch=mine', { key: blue })).toMatchObject({ status: 404 });
    expect((await call('GET', '/api/v1/batches', { key: blue })).body.batches).toEqual([]);
    expect((await call('GET', '/api/v1/batches', { key: chief })).body.batches).toHaveLength(1);
    expect(
      (await call('GET', '/api/v1/budgets', { key: blue })).body.budgets.map(({ scope }: { scope: string }) => scope),
    ).not.toContain('tenant:red/day');
    expect(
      await call('PUT', '/api/v1/budgets/global/day', {
        key: red,
        headers: { 'content-type': 'application/json' },
        body: '{"limitUsd":9}',
      }),
    ).toMatchObject({ status: 403 });
    expect(await call('POST', '/api/v1/batches/mine/cancel', { key: blue })).toMatchObject({ status: 403 });
    expect(await call('POST', '/api/v1/batches/mine/cancel', { key: red })).toMatchObject({
      status: 200,
      body: { state: 'cancelled' },
    });
    expect((await call('GET', '/api/v1/audit', { key: chief })).body.entries[0]).toMatchObject({
      who: 'red',
      action: 'batch:cancel',
      target: 'mine',
    });
    await workspace.run(['key', 'revoke', 'red']);
    expect(await call('GET', '/api/v1/batches', { key: red })).toMatchObject({ status: 401 });
    const listed = await workspace.run(['key', 'list']);
    expect(listed.stdout).toMatch(/red {2}revoked/);
    expect(listed.stdout).not.toContain(red);
  });

  it('is not driven by a web page of somebody else', async () => {
    const { call } = server;
    expect(
      await call('POST', '/api/v1/workflows/triage/pause', { headers: { origin: 'http://evil.example' } }),
    ).toMatchObject({ status: 401 });
    expect(await call('POST', '/api/v1/workflows/triage/pause')).toMatchObject({
      status: 200,
      body: { changed: true },
    });
    expect(await call('POST', '/api/v1/workflows/triage/resume')).toMatchObject({ body: { changed: true } });
  });

  it('ends when it is told to', async () => {
    server.cli.kill('SIGTERM');
    expect(await server.cli.exited).toMatchObject({ code: 0 });
  });
});

/** Reads server-sent events until one satisfies the condition; what comes later is for the next call. */
function readEvents(response: Response) {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return async (wanted: (event: string, data: Record<string, unknown>) => boolean) => {
    for (;;) {
      const end = text.indexOf('\n\n');
      if (end === -1) {
        const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
        if (done) throw new Error('The event stream ended');
        text += value;
        continue;
      }
      const block = text.slice(0, end);
      text = text.slice(end + 2);
      const event = /^event: (.*)$/m.exec(block)?.[1];
      if (event === undefined) continue;
      const data = JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? '{}') as Record<string, unknown>;
      if (wanted(event, data)) return data;
    }
  };
}
