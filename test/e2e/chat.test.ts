import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import type { ChatCompletion } from '../../src/tasks/result-row.ts';
import { batchFile, bodyOf, createBatch, linesOf, polled, sharedEndpoint } from '../helpers/openai-endpoint.ts';
import { configYaml, expectBalanced, type RowJson, toJsonl, Workspace } from '../helpers/workspace.ts';
import { modelAndRedis } from './model-and-redis.ts';

const { model, redis } = await modelAndRedis();
const shared = sharedEndpoint({ url: model.url, redis: redis.url });

const WORKFLOW = '  talk: { task: chat, cascade: [{ model: small, fallback: [large] }], budget: { batch: 1.00 } }';

const config = (): string =>
  configYaml({ url: model.url, redis: redis.url }).replace('\ningest:', `\n${WORKFLOW}\ningest:`);

const completionOf = (row: RowJson | undefined): ChatCompletion => row?.result as unknown as ChatCompletion;

const SCHEMA = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
};

const REQUEST = {
  messages: [
    { role: 'developer', content: 'Answer in JSON.' },
    { role: 'user', content: [{ type: 'text', text: 'Where is the mill?' }] },
    { role: 'assistant', content: 'Which one?' },
    { role: 'user', content: 'The old one.' },
  ],
  response_format: { type: 'json_schema', json_schema: { name: 'place', strict: true, schema: SCHEMA } },
  temperature: 0.5,
  top_p: 0.9,
  seed: 7,
  stop: ['\n\n'],
  max_completion_tokens: 50,
};

describe('nightmill run of a chat workflow', () => {
  it('sends whole requests as they are and gives the reply as a chat completion, in balanced books', async () => {
    model.answer = ({ document }) =>
      document.includes('mill') ? { content: '{"city":"Bonn"}' } : { content: 'cut o', finish: 'length' };
    await using workspace = await Workspace.make({
      'nightmill.yaml': config(),
      'in.jsonl': toJsonl([
        { id: 'a', ...REQUEST },
        {
          custom_id: 'b',
          method: 'POST',
          url: '/v1/chat/completions',
          body: { messages: [{ role: 'user', content: 'Hi' }] },
        },
        { id: 'c', messages: [{ role: 'user', content: 'Hi' }], tools: [{ type: 'function' }] },
      ] as never),
    });
    const finished = await workspace.run(['run', 'in.jsonl', '-w', 'talk', '-o', 'out', '--format', 'csv']);
    expect(finished, finished.stderr).toMatchObject({ code: 4 });
    const output = await workspace.readOutput('out');
    expectBalanced(output, ['a', 'b', 'c']);
    const [a, b] = output.results;
    expect(completionOf(a)).toMatchObject({
      object: 'chat.completion',
      model: 'small-2026-01-01',
      choices: [{ message: { role: 'assistant', content: '{"city":"Bonn"}', refusal: null }, finish_reason: 'stop' }],
    });
    expect(completionOf(b).choices[0]).toMatchObject({ message: { content: 'cut o' }, finish_reason: 'length' });
    expect(output.errors[0]).toMatchObject({
      id: 'c',
      calls: 0,
      error: { code: 'invalid_request', message: expect.stringContaining("'tools'") },
    });
    expect(model.calls).toHaveLength(2);
    const sent = model.calls.find(({ document }) => document.includes('mill'))?.body;
    const { messages: _, ...settings } = sent as unknown as typeof REQUEST;
    expect(sent?.messages).toEqual([
      { role: 'system', content: 'Answer in JSON.' },
      { role: 'user', content: 'Where is the mill?' },
      { role: 'assistant', content: 'Which one?' },
      { role: 'user', content: 'The old one.' },
    ]);
    const { temperature, top_p, seed, stop, response_format } = REQUEST;
    expect(settings).toMatchObject({ temperature, top_p, seed, stop, response_format });
    expect(Object.values(settings)).toContain(50);
    const rows: Record<string, string>[] = parse(await readFile(workspace.path('out/results.csv')), { columns: true });
    expect(rows[0]).toMatchObject({ id: 'a', reply: '{"city":"Bonn"}', finishReason: 'stop' });
  });

  it('refuses settings that would change a request', async () => {
    await using workspace = await Workspace.make({
      'nightmill.yaml': config().replace(
        'task: chat,',
        'task: chat, instructions: "Be brief.", parts: { maxTokens: 300 },',
      ),
      'in.jsonl': toJsonl([{ id: 'a', text: '{}' }]),
    });
    const finished = await workspace.run(['run', 'in.jsonl', '-w', 'talk', '-o', 'out']);
    expect(finished.code).toBe(2);
    expect(finished.stderr).toContain('workflows.talk.instructions: task chat sends each document as it is');
    expect(finished.stderr).toContain('workflows.talk.parts: task chat sends each document as it is');
  });
});

describe('models of the config in the OpenAI-compatible endpoint', () => {
  it('takes models and workflows in one batch, and answers each with its own reply', async () => {
    const endpoint = await shared();
    const { client } = endpoint;
    model.answer = ({ body }) =>
      body.response_format === undefined
        ? { content: `${body.model} says ${body.messages.at(-1)?.content}` }
        : { content: '{"label":"billing","confidence":0.9}' };
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual([
      'triage',
      'digest',
      'summarize',
      'classify',
      'small',
      'large',
    ]);
    const names = ['small', 'large', 'triage'];
    const text = batchFile(9, (index) => ({ body: bodyOf(names[index % 3] as string, `Hello ${index}`) }));
    const ended = await polled(client, (await createBatch(client, text)).id);
    expect(ended).toMatchObject({ status: 'completed', request_counts: { total: 9, completed: 9, failed: 0 } });
    const lines = await linesOf(client, ended.output_file_id);
    const replies = new Map(lines.map(({ custom_id, response }) => [custom_id, response?.body]));
    expect(replies.get('doc-0')).toMatchObject({
      object: 'chat.completion',
      model: 'small',
      choices: [{ message: { role: 'assistant', content: 'small-2026-01-01 says Hello 0' }, finish_reason: 'stop' }],
    });
    expect(replies.get('doc-1')?.choices[0]?.message.content).toBe('large-2026-01-01 says Hello 1');
    expect(JSON.parse(replies.get('doc-2')?.choices[0]?.message.content ?? '')).toMatchObject({ label: 'billing' });
    expect(replies.get('doc-0')?.usage?.prompt_tokens).toBeGreaterThan(0);
  });

  it('names what a request asks for that no model here can do, in the words of the API, before anything is sent', async () => {
    const endpoint = await shared();
    const { client } = endpoint;
    const bodies = [
      { ...bodyOf('small', 'a'), tools: [] },
      { model: 'small', messages: [{ role: 'tool', content: 'x' }] },
      { ...bodyOf('small', 'c'), response_format: { type: 'xml' } },
      { ...bodyOf('nobody', 'd') },
      { model: 'small', messages: [] },
    ];
    const text = batchFile(bodies.length, (index) => ({ body: bodies[index] }));
    const failed = await polled(client, (await createBatch(client, text)).id);
    expect(failed.status).toBe('failed');
    expect(failed.errors?.data?.map(({ code, param, line }) => [code, param, line])).toEqual([
      ['unsupported_parameter', 'body.tools', 1],
      ['invalid_value', 'body.messages[0].role', 2],
      ['invalid_value', 'body.response_format.type', 3],
      ['model_not_found', 'body.model', 4],
      ['invalid_request', 'body.messages', 5],
    ]);
    expect(model.calls).toHaveLength(0);
  });
});
