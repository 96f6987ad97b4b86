import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { submissionCache } from '../../src/batches/submission-cache.ts';
import { openTestServer, type TestServer } from '../helpers/http-server.ts';
import { startTcpRedis, type TcpRedis } from '../helpers/tcp-redis.ts';
import { toJsonl } from '../helpers/workspace.ts';

let redis: TcpRedis;
let server: TestServer;

beforeAll(async () => {
  redis = await startTcpRedis();
  server = await openTestServer({ redis: redis.url });
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

function formOf(...files: readonly (readonly [name: string, content: string])[]): FormData {
  const form = new FormData();
  for (const [name, content] of files) form.append('documents', new Blob([content]), name);
  return form;
}

describe('a `traceparent` header', () => {
  const trace = 'af7651916cd43dd8448eb211c80319c0';
  async function traceOf(id: string, headers: Readonly<Record<string, string>>): Promise<string> {
    const sent = await server.call('POST', `/api/v1/batches?workflow=triage&id=${id}`, {
      headers: { 'content-type': 'application/x-ndjson', ...headers },
      body: toJsonl([{ id, text: 'Ticket' }]),
    });
    expect(sent, sent.text).toMatchObject({ status: 201 });
    return (await submissionCache(server.app.store)(id)).traceparent ?? '';
  }

  it('is the trace that the batch is part of', async () => {
    const kept = await traceOf('traced', { traceparent: `00-${trace}-b7ad6b7169203331-01` });
    expect(kept).toMatch(new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`));
    expect(kept).not.toContain('b7ad6b7169203331');
  });

  it('that is none leaves the batch a trace of its own', async () => {
    for (const [id, traceparent] of [
      ['zeros', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`],
      ['words', 'not a trace'],
    ] as const) {
      const kept = await traceOf(id, { traceparent });
      expect(kept).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
      expect(kept).not.toContain('0'.repeat(32));
    }
  });
});

describe('documents that were sent', () => {
  it('are named by the body where a line is skipped', async () => {
    const made = await server.call('POST', '/api/v1/batches?workflow=triage&id=skips&skipInvalid=true', {
      headers: { 'content-type': 'application/x-ndjson' },
      body: `${toJsonl([{ id: 'a', text: 'Ticket' }])}not JSON\n`,
    });
    expect(made, made.text).toMatchObject({ status: 201, body: { documents: { total: 2 } } });
    const row = await server.call('GET', '/api/v1/batches/skips/documents/body.jsonl:2');
    expect(row, row.text).toMatchObject({ status: 200, body: { id: 'body.jsonl:2' } });
    expect(row.text).not.toContain('spool-');
  });

  it('are named by their files where several of one name come, and are the same when they are sent again', async () => {
    const send = (id: string, ...files: readonly (readonly [string, string])[]) =>
      server.call('POST', `/api/v1/batches?workflow=triage&id=${id}&skipInvalid=true`, { body: formOf(...files) });
    const files = [
      ['a.txt', 'one'],
      ['a.txt', 'two'],
      ['b.txt', 'three'],
    ] as const;
    expect(await send('files', ...files)).toMatchObject({ status: 201, body: { documents: { total: 3 } } });
    expect(await send('files', ...files)).toMatchObject({ status: 200 });
    for (const id of ['a.txt', 'b.txt']) {
      expect(await server.call('GET', `/api/v1/batches/files/documents/${id}`)).toMatchObject({ status: 200 });
    }
  });

  it('and cannot be read are named as they were sent', async () => {
    for (const [name, content] of [
      ['rows.parquet', 'not Parquet'],
      ['rows.csv', ''],
      ['rows.xls', 'x'],
      ['rows.jsonl.gz', '\u001f\u008b'],
    ] as const) {
      const refused = await server.call('POST', '/api/v1/batches?workflow=triage', { body: formOf([name, content]) });
      expect(refused.status, `${name} ${refused.text}`).toBe(422);
      expect(refused.body.detail).toContain(name);
      expect(refused.text).not.toContain('spool-');
    }
  });
});
