import { setTimeout as delay } from 'node:timers/promises';
import Anthropic from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';
import { sharedEndpoint } from '../helpers/openai-endpoint.ts';
import { modelAndRedis } from './model-and-redis.ts';

const { model, redis } = await modelAndRedis();
const shared = sharedEndpoint({ url: model.url, redis: redis.url });

const FIELDS = [
  'id type processing_status request_counts created_at expires_at ended_at cancel_initiated_at archived_at results_url',
].flatMap((names) => names.split(' '));

function clientOf(url: string): Anthropic {
  return new Anthropic({ baseURL: url, apiKey: 'sk-ant-placeholder', maxRetries: 0 });
}

function requestOf(id: string, name: string, text: string): Anthropic.Messages.BatchCreateParams.Request {
  return {
    custom_id: id,
    params: { model: name, max_tokens: 64, system: 'Be brief.', messages: [{ role: 'user', content: text }] },
  };
}

async function ended(client: Anthropic, id: string): Promise<Anthropic.Messages.MessageBatch> {
  for (;;) {
    const batch = await client.messages.batches.retrieve(id);
    if (batch.processing_status === 'ended') return batch;
    await delay(25);
  }
}

describe('the Anthropic-shaped batches', () => {
  it('are made, asked for, listed and deleted by the official client, and give each request its result', async () => {
    const endpoint = await shared();
    const client = clientOf(endpoint.url);
    model.answer = ({ body, document }) => {
      if (body.response_format !== undefined) return { content: '{"label":"billing","confidence":0.9}' };
      if (document.includes('long')) return { content: 'cut', finish: 'length' };
      return document.includes('bad') ? { status: 400, error: { message: 'no', code: 'bad' } } : { content: 'Hello.' };
    };
    const created = await client.messages.batches.create({
      requests: [
        requestOf('a', 'small', 'Hi'),
        requestOf('b', 'small', 'something long'),
        requestOf('c', 'small', 'something bad'),
        requestOf('d', 'triage', 'The invoice is wrong.'),
      ],
    });
    expect(Object.keys(created)).toEqual(FIELDS);
    expect(created).toMatchObject({
      id: expect.stringMatching(/^msgbatch_/),
      type: 'message_batch',
      processing_status: 'in_progress',
      request_counts: { processing: 4, succeeded: 0, errored: 0, canceled: 0, expired: 0 },
      ended_at: null,
      results_url: null,
    });
    expect(Date.parse(created.expires_at) - Date.parse(created.created_at)).toBe(24 * 3_600_000);
    const batch = await ended(client, created.id);
    expect(batch.request_counts).toEqual({ processing: 0, succeeded: 3, errored: 1, canceled: 0, expired: 0 });
    expect(batch.results_url).toBe(`${endpoint.url}/v1/messages/batches/${created.id}/results`);
    const results = new Map<string, Anthropic.Messages.MessageBatchResult>();
    for await (const { custom_id, result } of await client.messages.batches.results(created.id))
      results.set(custom_id, result);
    expect([...results.keys()].sort()).toEqual(['a', 'b', 'c', 'd']);
    expect(results.get('a')).toMatchObject({
      type: 'succeeded',
      message: {
        type: 'message',
        role: 'assistant',
        model: 'small',
        content: [{ type: 'text', text: 'Hello.' }],
        stop_reason: 'end_turn',
      },
    });
    expect(results.get('b')).toMatchObject({ message: { stop_reason: 'max_tokens' } });
    expect(results.get('c')).toMatchObject({
      type: 'errored',
      error: { type: 'error', error: { type: 'invalid_request_error' } },
    });
    const labelled = results.get('d');
    const [block] = labelled?.type === 'succeeded' ? labelled.message.content : [];
    expect(JSON.parse(block?.type === 'text' ? block.text : '')).toMatchObject({ label: 'billing' });
    const sent = model.calls.find(({ document }) => document === 'Hi')?.body;
    expect(sent?.messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hi' },
    ]);
    expect(await endpoint.client.batches.list().then(({ data }) => data)).toEqual([]);
    expect(await client.messages.batches.delete(created.id)).toEqual({ id: created.id, type: 'message_batch_deleted' });
    await expect(client.messages.batches.retrieve(created.id)).rejects.toMatchObject({ status: 404 });
  });

  it('are listed in pages in both directions, and cancelled with what is done', async () => {
    const endpoint = await shared();
    const client = clientOf(endpoint.url);
    model.answer = () => ({ content: 'Hello.' });
    model.holdAfter(0);
    const ids: string[] = [];
    for (const id of ['a', 'b', 'c']) {
      ids.unshift((await client.messages.batches.create({ requests: [requestOf(id, 'small', `Hi ${id}`)] })).id);
    }
    const seen: string[] = [];
    for await (const { id } of client.messages.batches.list({ limit: 2 })) seen.push(id);
    expect(seen).toEqual(ids);
    const newer = await client.messages.batches.list({ before_id: ids[2] as string, limit: 1 });
    expect(newer).toMatchObject({ data: [{ id: ids[1] }], has_more: true });
    await expect(client.messages.batches.results(ids[0] as string)).rejects.toThrow(/results_url/);
    const cancelling = await client.messages.batches.cancel(ids[0] as string);
    expect(cancelling).toMatchObject({ processing_status: expect.stringMatching(/^(canceling|ended)$/) });
    model.release();
    const over = await ended(client, ids[0] as string);
    expect(over.cancel_initiated_at).not.toBeNull();
    expect(over.request_counts.succeeded + over.request_counts.canceled).toBe(1);
    await Promise.all(ids.slice(1).map((id) => ended(client, id)));
  });

  it('answer what is wrong as the API does, and take nothing of it', async () => {
    const endpoint = await shared();
    const post = async (body: unknown) => {
      const response = await fetch(`${endpoint.url}/v1/messages/batches`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-api-key': 'sk', 'anthropic-version': '2023-06-01' },
        body: JSON.stringify(body),
      });
      expect(response.headers.get('request-id')).toMatch(/^req_/);
      return { status: response.status, body: (await response.json()) as { error: { type: string; message: string } } };
    };
    const good = requestOf('a', 'small', 'Hi');
    const cases: readonly (readonly [unknown, RegExp])[] = [
      [{}, /^requests: Field required/],
      [{ requests: [] }, /^requests: List should have at least 1 item/],
      [{ requests: [{ params: good.params }] }, /^requests\.0\.custom_id: Field required/],
      [{ requests: [good, good] }, /^requests\.1\.custom_id: "a" is the id of another request too/],
      [{ requests: [{ ...good, params: { ...good.params, max_tokens: 0 } }] }, /^requests\.0\.params\.max_tokens: /],
      [
        { requests: [{ ...good, params: { ...good.params, tools: [] } }] },
        /^requests\.0\.params\.tools: it is not supported/,
      ],
      [{ requests: [requestOf('a', 'nobody', 'Hi')] }, /^requests\.0\.params: The provided model 'nobody'/],
    ];
    for (const [body, message] of cases) {
      const answer = await post(body);
      expect(answer).toMatchObject({ status: 400, body: { type: 'error', error: { type: 'invalid_request_error' } } });
      expect(answer.body.error.message).toMatch(message);
    }
    const missing = await fetch(`${endpoint.url}/v1/messages/batches/msgbatch_none`);
    expect(missing.status).toBe(404);
    expect(await missing.json()).toMatchObject({ type: 'error', error: { type: 'not_found_error' } });
    expect(model.calls).toHaveLength(0);
  });
});
