import { encode } from 'gpt-tokenizer/encoding/o200k_base';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningSimulator, startSimulator } from '../../src/simulator/start-simulator.ts';
import {
  classify,
  completionOf,
  contentOf,
  errorOf,
  LABEL_PROMPT,
  LABEL_SCHEMA,
  PLAIN_MODEL,
  post,
} from './simulator-client.ts';

let simulator: RunningSimulator;

beforeAll(async () => {
  simulator = await startSimulator({
    models: { plain: { ...PLAIN_MODEL, accuracy: 1, maxOutputTokens: 1000 } },
    seed: 3,
    apiKey: 'secret',
  });
});

afterAll(async () => {
  await simulator.close();
});

const ask = (body: unknown) => post(simulator.url, body, { key: 'secret' });

describe('the simulator checks requests', () => {
  it('the simulator answers 401 to a wrong key and to none', async () => {
    const wrong = await post(simulator.url, classify('x'), { key: 'guess' });
    expect([wrong.status, errorOf(wrong).code]).toEqual([401, 'invalid_api_key']);
    const none = await post(simulator.url, classify('x'));
    expect([none.status, errorOf(none).message]).toEqual([401, expect.stringContaining("didn't provide an API key")]);
  });

  it.each([
    ['no JSON', '{"model":', 400, null],
    ['no model', classify('x', { model: undefined }), 400, 'missing_required_parameter'],
    ['no messages', classify('x', { messages: undefined }), 400, 'missing_required_parameter'],
    ['empty messages', classify('x', { messages: [] }), 400, 'empty_array'],
    ['an unknown role', classify('x', { messages: [{ role: 'boss', content: 'x' }] }), 400, 'invalid_value'],
    ['an unknown model', classify('x', { model: 'nobody' }), 404, 'model_not_found'],
    ['too large max_tokens', classify('x', { max_tokens: 1001 }), 400, 'invalid_value'],
    ['both kinds of max_tokens', classify('x', { max_completion_tokens: 5 }), 400, 'invalid_value'],
    ['a bad temperature', classify('x', { temperature: 3 }), 400, 'invalid_value'],
    ['top_logprobs alone', classify('x', { top_logprobs: 3 }), 400, 'invalid_value'],
    ['JSON mode without the word', classify('x', { response_format: { type: 'json_object' } }), 400, 'invalid_value'],
    [
      'a strict schema that is open',
      classify('x', {
        response_format: {
          type: 'json_schema',
          json_schema: { name: 'a', strict: true, schema: { ...LABEL_SCHEMA, additionalProperties: undefined } },
        },
      }),
      400,
      'invalid_json_schema',
    ],
    [
      'a strict schema with an optional property',
      classify('x', {
        response_format: {
          type: 'json_schema',
          json_schema: { name: 'a', strict: true, schema: { ...LABEL_SCHEMA, required: ['label'] } },
        },
      }),
      400,
      'invalid_json_schema',
    ],
  ])('the simulator refuses %s', async (_, body, status, code) => {
    const before = simulator.totals().calls;
    const reply = await ask(body);
    expect([reply.status, errorOf(reply).code]).toEqual([status, code]);
    expect(simulator.totals().calls).toBe(before);
  });

  it('the simulator refuses input and max_tokens that together exceed the context, to the token', async () => {
    const words = (count: number) => ({
      model: 'plain',
      messages: [{ role: 'user', content: 'word'.concat(' word'.repeat(count - 1)) }],
    });
    // 8192 of context - 100 of output - 3 for the message - 3 for the reply
    const fits = await ask({ ...words(8086), max_tokens: 100 });
    expect(completionOf(fits).usage.prompt_tokens).toBe(8092);
    const over = await ask({ ...words(8087), max_tokens: 100 });
    expect([over.status, errorOf(over).code]).toEqual([400, 'context_length_exceeded']);
  });

  it('the simulator lists its models', async () => {
    const reply = await fetch(`${simulator.url}/models`, { headers: { authorization: 'Bearer secret' } });
    expect(await reply.json()).toMatchObject({ object: 'list', data: [{ id: 'plain', object: 'model' }] });
    expect((await fetch(`${simulator.url}/models`)).status).toBe(401);
  });
});

describe('the simulator answers', () => {
  it('the simulator counts o200k tokens of messages and schema, 3 per message and 3 for the reply', async () => {
    const text = 'The invoice is wrong. <|endoftext|> Déjà vu, 漢字!';
    const { usage, choices } = completionOf(await ask(classify(text)));
    const count = (part: string) => encode(part, { disallowedSpecial: new Set() }).length;
    expect(usage.prompt_tokens).toBe(
      count(LABEL_PROMPT) + 3 + count(text) + 3 + count(JSON.stringify(LABEL_SCHEMA)) + 3,
    );
    expect(usage.completion_tokens).toBe(count(choices[0]!.message.content!));
    expect(usage.total_tokens).toBe(usage.prompt_tokens + usage.completion_tokens);
  });

  it('the simulator chooses the label whose description shares most words with the document', async () => {
    const label = async (text: string) => (JSON.parse(contentOf(await ask(classify(text)))) as { label: string }).label;
    expect(await label('I have questions: my last two invoices show no refund.')).toBe('billing');
    expect(await label('Something in the export is broken since the update.')).toBe('bug');
  });

  it('the simulator fills nested schemas with valid values', async () => {
    const schema = {
      type: 'object',
      properties: {
        points: { type: 'array', items: { type: 'string', maxLength: 30 }, minItems: 2, maxItems: 2 },
        rating: { type: 'integer', minimum: 1, maximum: 5 },
        urgent: { type: 'boolean' },
        owner: { anyOf: [{ type: 'null' }, { $ref: '#/$defs/person' }] },
        kind: { const: 'note' },
      },
      required: ['points', 'rating', 'urgent', 'owner', 'kind'],
      $defs: { person: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] } },
    };
    const reply = await ask({
      model: 'plain',
      messages: [
        {
          role: 'user',
          content: 'Anna wrote the first sentence of this text. Ben wrote the second one. It ends here.',
        },
      ],
      response_format: { type: 'json_schema', json_schema: { name: 'note', schema } },
    });
    const value = JSON.parse(contentOf(reply)) as { points: string[]; rating: number };
    expect(value).toMatchObject({ urgent: expect.any(Boolean), owner: { name: expect.any(String) }, kind: 'note' });
    expect(value.points).toHaveLength(2);
    expect(value.points.every((point) => point.length <= 30)).toBe(true);
    expect([1, 2, 3, 4, 5]).toContain(value.rating);
  });

  it('the simulator summarises with sentences of the document within the word limit of the prompt', async () => {
    const sentences = Array.from({ length: 30 }, (_, n) => `Sentence number ${n} says a thing.`);
    const reply = await ask({
      model: 'plain',
      messages: [
        { role: 'system', content: 'Summarize the document in at most 60 words.' },
        { role: 'user', content: `<document>\n${sentences.join(' ')}\n</document>` },
      ],
    });
    const summary = contentOf(reply);
    const words = summary.split(' ').length;
    expect(sentences.join(' ').startsWith(summary)).toBe(true);
    expect(words).toBeLessThanOrEqual(60);
    expect(words).toBeGreaterThanOrEqual(30);
  });

  it('the simulator follows a schema that the prompt quotes in JSON mode', async () => {
    const system = `Reply with JSON of this schema: ${JSON.stringify(LABEL_SCHEMA)}. Nothing else.`;
    const body = classify('x', {
      messages: [
        { role: 'system', content: system },
        { role: 'user', content: 'It is broken' },
      ],
      response_format: { type: 'json_object' },
    });
    expect(JSON.parse(contentOf(await ask(body)))).toEqual({
      label: expect.stringMatching(/^(billing|bug|other)$/),
      confidence: expect.any(Number),
    });
  });

  it('the simulator cuts the reply at max_tokens and says so', async () => {
    const long = {
      model: 'plain',
      messages: [{ role: 'user', content: 'A sentence with exactly seven words. '.repeat(40) }],
    };
    const whole = completionOf(await ask(long));
    expect(whole.choices[0]!.finish_reason).toBe('stop');
    for (const name of ['max_tokens', 'max_completion_tokens']) {
      const cut = completionOf(await ask({ ...long, [name]: 10 }));
      const content = cut.choices[0]!.message.content!;
      expect([cut.choices[0]!.finish_reason, cut.usage.completion_tokens]).toEqual(['length', 10]);
      expect(encode(content)).toHaveLength(10);
      expect('A sentence with exactly seven words. '.repeat(40).startsWith(content)).toBe(true);
    }
  });

  it('the simulator gives the label tokens the probability of its confidence', async () => {
    const reply = completionOf(await ask(classify('My invoice is wrong', { logprobs: true, top_logprobs: 3 })));
    const { content } = reply.choices[0]!.message;
    const { label, confidence } = JSON.parse(content!) as { label: string; confidence: number };
    const tokens = reply.choices[0]!.logprobs!.content;
    expect(tokens.map(({ token }) => token).join('')).toBe(content);
    expect(tokens).toHaveLength(reply.usage.completion_tokens);
    const decisive = tokens.filter(({ logprob }) => logprob < -0.001);
    expect(decisive.map(({ token }) => label.includes(token) || token.includes(label))).toEqual([true]);
    expect(Math.exp(decisive[0]!.logprob)).toBeCloseTo(confidence, 3);
    expect(decisive[0]!.top_logprobs).toHaveLength(3);
    expect(
      decisive[0]!.top_logprobs.map(({ logprob }) => Math.exp(logprob)).reduce((a, b) => a + b),
    ).toBeLessThanOrEqual(1);
  });

  it('the simulator counts a hostile run of spaces or letters in a moment', async () => {
    // Of the process, which the simulator runs in.
    const started = process.cpuUsage();
    for (const text of [' '.repeat(100_000), 'a'.repeat(100_000), '='.repeat(100_000)]) {
      expect([200, 400]).toContain((await ask({ model: 'plain', messages: [{ role: 'user', content: text }] })).status);
    }
    // Uncut, these take more than 10 s.
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(1500);
  });
});
