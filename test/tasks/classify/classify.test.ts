import { describe, expect, it } from 'vitest';
import type { ReplyText } from '../../../src/prompts/question.ts';
import { classifyQuestion } from '../../../src/tasks/classify/answer.ts';
import type { ClassifyWorkflow } from '../../../src/workflows/workflow.ts';

const WORKFLOW: ClassifyWorkflow = {
  name: 'triage',
  task: 'classify',
  cascade: [],
  labels: [
    { label: 'billing', description: 'Invoices' },
    { label: 'Bug', description: 'Broken' },
  ],
  examples: [],
};

const question = classifyQuestion(WORKFLOW, 'The invoice is wrong.');
const judge = (text: string, more: Partial<ReplyText> = {}) => question.judge({ text, finish: 'stop', ...more });

describe('classifyQuestion()', () => {
  it('tells the model the labels, their descriptions and a closed schema', () => {
    const [system, user] = question.prompt.messages;
    expect(system?.content).toContain('- "billing": Invoices\n- "Bug": Broken');
    expect(user?.content).toContain('The invoice is wrong.');
    expect(question.prompt.responseSchema.schema).toMatchObject({
      properties: { label: { enum: ['billing', 'Bug'] } },
      additionalProperties: false,
    });
  });

  it('accepts a label with the stated confidence, whatever the case of its letters', () => {
    expect(judge('{"label": "billing", "confidence": 0.9}')).toEqual({
      kind: 'answer',
      value: { label: 'billing' },
      confidence: 0.9,
    });
    expect(judge('{"label": " bug ", "confidence": 0.4}')).toMatchObject({ value: { label: 'Bug' }, confidence: 0.4 });
  });

  it('finds the object in prose and code blocks', () => {
    expect(judge('Sure!\n```json\n{"label": "Bug", "confidence": 1}\n```')).toMatchObject({ value: { label: 'Bug' } });
  });

  it.each([
    ['{"label": "Bug"}', undefined],
    ['{"label": "Bug", "confidence": "high"}', undefined],
    ['{"label": "Bug", "confidence": null}', undefined],
    ['{"label": "Bug", "confidence": 1}', 1],
    ['{"label": "Bug", "confidence": 0}', 0],
    ['{"label": "Bug", "confidence": 95}', 0.95],
    ['{"label": "Bug", "confidence": "95"}', 0.95],
    ['{"label": "Bug", "confidence": "95 %"}', 0.95],
    ['{"label": "Bug", "confidence": "95 percent"}', 0.95],
    ['{"label": "Bug", "confidence": "about 0.95"}', 0.95],
    ['{"label": "Bug", "confidence": "~95% sure"}', 0.95],
    ['{"label": "Bug", "confidence": "high (0.95)"}', 0.95],
    ['{"label": "Bug", "confidence": "9/10"}', 0.9],
    ['{"label": "Bug", "confidence": ".95"}', 0.95],
    ['{"label": "Bug", "Confidence": "0,95"}', 0.95],
    ['{"label": "Bug", "confidence": "0.9 to 0.95"}', undefined],
    ['{"label": "Bug", "confidence": 7}', undefined],
    ['{"label": "Bug", "confidence": 950}', undefined],
    ['{"label": "Bug", "confidence": 1e999}', undefined],
    ['{"label": "Bug", "confidence": -1}', undefined],
  ])('takes the confidence of %s as %s: unknown is not 0', (text, confidence) => {
    const judgement = judge(text);
    expect(judgement.kind).toBe('answer');
    expect(judgement.kind === 'answer' ? judgement.confidence : 'none').toBe(confidence);
  });

  it('prefers the probability of the label’s own tokens to what the model states', () => {
    const tokens = ['{"label": "', 'Bug', '", "confidence": 1}'].map((token, index) => ({
      token,
      logprob: index === 1 ? Math.log(0.25) : 0,
    }));
    const reply = judge('{"label": "Bug", "confidence": 1}', { tokens });
    expect(reply).toMatchObject({ kind: 'answer' });
    expect(reply.kind === 'answer' ? reply.confidence : 0).toBeCloseTo(0.25);
  });

  it.each([
    ['{"label": "Billing.", "confidence": "0,87"}', 0.87],
    ["{'label': 'billing', 'confidence': '87 %'}", 0.87],
    ['```json\n{"Label": " **billing** ", "confidence": 0.9}\n```', 0.9],
    ['{"label": "bill\u200bing", "confidence": 1}', 1],
    ['I think {it} is clear: {"result": {"label": "billing", "confidence": 0.4}}', 0.4],
    ['{"label": "billing", "confidence": 0.8}\n{"label": "billing", "confidence": 0.8}', 0.8],
    ['{"label": "billing"}, in full: {"label": "billing", "confidence": 0.8}', 0.8],
    ['<think>{"label": "bug", "confidence": 0.2}</think>{"label": "billing", "confidence": 0.8}', 0.8],
    ['{"label": {"label": "billing", "confidence": 0.8}}', 0.8],
    ['{"category": "billing", "confidence": 0.8}', 0.8],
    ['{"result": {"Class": "Billing", "confidence": 0.8}}', 0.8],
    ['{"label": "1. billing", "confidence": 0.8}', 0.8],
    ['{"label": "💳 Billing", "confidence": 0.8}', 0.8],
    ['{"label": "billing", "confidence": 0.8, "others": [{"label": "bug", "confidence": 0.1}]}', 0.8],
    ['[{"label": "billing", "confidence": 0.8}]', 0.8],
    ['"{\\"label\\": \\"billing\\", \\"confidence\\": 0.8}"', 0.8],
    ['{"label": "billing", "reason": "says "overdue"\nand "paid"", "confidence": 0.8}', 0.8],
    ['Use { here: {"label": "billing", "confidence": 0.8}', 0.8],
    ['Label: Billing\nConfidence: 80 %', 0.8],
    ['**Billing** (confidence: 0.8)', 0.8],
    ['{"label": "billing\ufe0f。", "confidence": 0.8}', 0.8],
  ])('reads %j', (text, confidence) => {
    expect(judge(text)).toEqual({ kind: 'answer', value: { label: 'billing' }, confidence });
  });

  it.each([
    'billing',
    '#billing',
    '2) billing',
    '💳 billing',
    '["billing"]',
    'Label: Billing',
    'BILLING!',
    '{"label": "billing", "confidence": "high"}',
  ])('takes the label of %j and knows no confidence', (text) => {
    expect(judge(text)).toEqual({ kind: 'answer', value: { label: 'billing' } });
  });

  it.each([
    '{"label": "bug", "confidence": 0.2}\n{"label": "billing", "confidence": 0.8}',
    '{"label": "billing", "confidence": 0.2}\n{"label": "billing", "confidence": 0.8}',
    '[{"label": "bug"}, {"label": "billing"}]',
    '{"answers": [{"label": "bug"}, {"label": "billing"}]}',
    'First {"label": "bug"}, or rather {"label": "billing"}',
    "{'label': 'bug'} {'label': 'billing'}",
  ])('takes none of the answers of %j, since they differ', (text) => {
    expect(judge(text)).toEqual({
      kind: 'rejected',
      code: 'invalid_shape',
      detail: 'the reply has several answers that differ',
    });
  });

  it('tells labels apart that differ in marks, takes a number for its label, and none where two are meant', () => {
    const labels = ['c', 'c++', '01', '2', 'new order', 'A b', 'a B'].map((label) => ({ label, description: '' }));
    const other = classifyQuestion({ ...WORKFLOW, labels }, 'text');
    const read = (label: unknown) => {
      const judgement = other.judge({ text: JSON.stringify({ label }), finish: 'stop' });
      return judgement.kind === 'answer' ? judgement.value.label : judgement.code;
    };
    expect(['c', 'C++.', 1, '1', 2, '2.', 'New_Order', 'a b'].map(read)).toEqual([
      'c',
      'c++',
      '01',
      '01',
      '2',
      '2',
      'new order',
      'label_not_in_set',
    ]);
  });

  it.each([
    ['split bytes written as text', ['{"label":"', '\\xe6\\x8a', '\\x95', '诉', '"}'], '投诉'],
    ['byte tokens of SentencePiece', ['▁{"', 'label":"', '<0xE6>', '<0x8A>', '<0x95>诉', '"}'], '投诉'],
    ['letters of GPT-2', ['{"', 'label', '":Ġ"', 'æĬķ', 'è¯ī', '"}'], '投诉'],
    ['an escaped label', ['{"label":"', '\\u6295', '\\u8bc9', '"}'], '投诉'],
  ])('joins %s', (_, tokens, label) => {
    const other = classifyQuestion({ ...WORKFLOW, labels: [{ label, description: '' }] }, 'text');
    const isEscaped = tokens.some((token) => token.includes('u6295'));
    const text = isEscaped
      ? tokens.join('')
      : tokens[2]?.includes('Ġ') === true
        ? `{"label": "${label}"}`
        : `{"label":"${label}"}`;
    const first = tokens.findIndex((token) => /label/.test(token)) + 1 + (tokens[2]?.includes('Ġ') === true ? 1 : 0);
    const listed = tokens.map((token, index) => ({
      token,
      logprob: index >= first && index < tokens.length - 1 ? -0.25 : 0,
    }));
    const judgement = other.judge({ text, finish: 'stop', tokens: listed, logprobsAsked: true });
    const spelled = tokens.length - 1 - first;
    expect(judgement).toMatchObject({ kind: 'answer', value: { label } });
    expect(judgement.kind === 'answer' ? judgement.confidence : 0).toBeCloseTo(Math.exp(-0.25 * spelled));
    expect(judgement).not.toHaveProperty('warnings');
  });

  it('marks a stated confidence where log-probabilities were asked for and do not spell the reply', () => {
    const text = '{"label": "billing", "confidence": 0.95}';
    const stated = { kind: 'answer', value: { label: 'billing' }, confidence: 0.95, warnings: ['confidence_stated'] };
    expect(judge(text, { logprobsAsked: true })).toEqual(stated);
    expect(judge(text, { logprobsAsked: true, tokens: [{ token: 'other', logprob: -1 }] })).toEqual(stated);
    expect(judge(text, { tokens: [{ token: 'other', logprob: -1 }] })).not.toHaveProperty('warnings');
  });

  it('takes the probability of the label itself, not of the same word in a reason behind it', () => {
    const tokens = ['{"label":"', 'bug', '","reason":"a ', 'bug', '"}'].map((token, index) => ({
      token,
      logprob: index === 1 ? -2 : 0,
    }));
    const reply = judge(tokens.map(({ token }) => token).join(''), { tokens });
    expect(reply.kind === 'answer' ? reply.confidence : 0).toBeCloseTo(Math.exp(-2));
  });

  it('does not make up the end of a reply that was cut off', () => {
    expect(judge('{"label": "billing", "confidence": 0.9', { finish: 'length' })).toMatchObject({ kind: 'rejected' });
  });

  it.each([
    ['', 'invalid_json'],
    ['It is about billing, or a bug', 'invalid_json'],
    ['{"label": 3}', 'label_not_in_set'],
    ['{"label": {"name": 3}}', 'invalid_shape'],
    ['{"answer": "unclear"}', 'invalid_shape'],
    ['{"label": "spam", "confidence": 1}', 'label_not_in_set'],
  ])('rejects %j as %s', (text, code) => {
    expect(judge(text)).toMatchObject({ kind: 'rejected', code });
  });
});
