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
    ['{"label": "Bug"}', 0],
    ['{"label": "Bug", "confidence": "high"}', 0],
    ['{"label": "Bug", "confidence": 1}', 1],
    ['{"label": "Bug", "confidence": 95}', 0],
    ['{"label": "Bug", "confidence": 1e999}', 0],
    ['{"label": "Bug", "confidence": -1}', 0],
  ])('takes the confidence of %s as %d', (text, confidence) => {
    expect(judge(text)).toMatchObject({ kind: 'answer', confidence });
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
    ['{"label": "bug", "confidence": 0.2}\n{"label": "billing", "confidence": 0.8}', 0.8],
  ])('reads %j', (text, confidence) => {
    expect(judge(text)).toEqual({ kind: 'answer', value: { label: 'billing' }, confidence });
  });

  it.each(['billing', '["billing"]', 'Label: Billing', '{"label": "billing", "confidence": "high"}'])(
    'takes the label of %j and knows no confidence',
    (text) => {
      expect(judge(text)).toEqual({ kind: 'answer', value: { label: 'billing', isUnsure: true }, confidence: 0 });
    },
  );

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
    ['{"answer": "billing"}', 'invalid_shape'],
    ['{"label": "spam", "confidence": 1}', 'label_not_in_set'],
  ])('rejects %j as %s', (text, code) => {
    expect(judge(text)).toMatchObject({ kind: 'rejected', code });
  });
});
