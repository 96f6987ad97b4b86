import { describe, expect, it } from 'vitest';
import type { ReplyText, TokenLogprob } from '../../../src/prompts/question.ts';
import { extractQuestion } from '../../../src/tasks/extract/answer.ts';
import { jsonLeaves } from '../../../src/tasks/extract/json-leaves.ts';
import { mergeFields, type PartFields } from '../../../src/tasks/extract/merge-fields.ts';
import { readSchema } from '../../../src/tasks/extract/read-schema.ts';
import type { ExtractWorkflow, ObjectSchema } from '../../../src/workflows/workflow.ts';

const SCHEMA = {
  type: 'object',
  properties: {
    vendor: { type: 'string', description: 'who sent it' },
    total: { type: 'number', minimum: 0 },
    date: { type: 'string', format: 'date' },
    currency: { type: 'string', enum: ['EUR', 'USD'] },
    lines: {
      type: 'array',
      items: {
        type: 'object',
        properties: { item: { type: 'string' }, count: { type: 'integer' } },
        required: ['item'],
      },
    },
  },
  required: ['vendor', 'total'],
};
const TEXT = 'Invoice of Müller  GmbH\nTotal: 1,234.50 EUR\nDate: 5 May 2026\nItem: Bolts, 3 pieces';

function fieldsOf(schema: unknown): ObjectSchema {
  const problems: string[] = [];
  const fields = readSchema(schema, 'schema', problems);
  expect(problems).toEqual([]);
  return fields as ObjectSchema;
}

function workflowOf(extract: Partial<ExtractWorkflow['extract']> = {}): ExtractWorkflow {
  return { name: 'invoices', task: 'extract', cascade: [], extract: { fields: fieldsOf(SCHEMA), ...extract } };
}

const GOOD = {
  vendor: 'Müller GmbH',
  total: 1234.5,
  date: '2026-05-05',
  currency: 'EUR',
  lines: [{ item: 'Bolts', count: 3 }],
};

const judge = (value: unknown, extract: Partial<ExtractWorkflow['extract']> = {}, more: Partial<ReplyText> = {}) =>
  extractQuestion(workflowOf(extract), TEXT).judge({
    text: typeof value === 'string' ? value : JSON.stringify({ fields: value, confidence: 0.9 }),
    finish: 'stop',
    ...more,
  });

describe('readSchema()', () => {
  const problemsOf = (schema: unknown): readonly string[] => {
    const problems: string[] = [];
    readSchema(schema, 'at', problems);
    return problems;
  };

  it('follows references and reads anyOf with null as an optional value, as Pydantic writes them', () => {
    const fields = fieldsOf({
      title: 'Invoice',
      $defs: { Line: { properties: { item: { type: 'string' } }, required: ['item'], title: 'Line' } },
      type: 'object',
      properties: {
        note: { anyOf: [{ type: 'string' }, { type: 'null' }], default: null, title: 'Note' },
        lines: { type: 'array', items: { $ref: '#/$defs/Line' } },
      },
    });
    expect(fields.properties).toEqual({
      note: { type: 'string', nullable: true },
      lines: { type: 'array', items: { type: 'object', properties: { item: { type: 'string' } }, required: ['item'] } },
    });
  });

  it.each([
    [{ type: 'array', items: { type: 'string' } }, /at\.type: .*"object"/],
    [{ type: 'object', properties: {} }, /at\.properties: .*at least one field/],
    [{ type: 'object', properties: { a: { type: 'date' } } }, /at\.properties\.a\.type: .*"date"; known: string/],
    [
      { type: 'object', properties: { a: { type: 'string', format: 'iban' } } },
      /format: "iban" is not checked; known: date/,
    ],
    [{ type: 'object', properties: { a: { type: 'string', pattern: '(a+)+$' } } }, /pattern: .*repeats without end/],
    [{ type: 'object', properties: { a: { type: 'number', multipleOf: 2 } } }, /multipleOf is not checked for number/],
    [
      { type: 'object', properties: { a: { type: 'string' } }, required: ['b'] },
      /required: there is no field "b"; known: a/,
    ],
    [{ type: 'object', properties: { 'a.b': { type: 'string' } } }, /a field's name/],
    [{ type: 'object', properties: { a: { $ref: '#/$defs/none' } } }, /\$ref: "#\/\$defs\/none" names nothing/],
    [{ type: 'object', properties: { a: { $ref: '#' } } }, /levels deep, and none inside itself/],
  ])('refuses %j and says why', (schema, problem) => {
    expect(problemsOf(schema).join('\n')).toMatch(problem);
  });
});

describe('extractQuestion()', () => {
  it('asks with a closed schema of all fields, optional ones nullable, as strict servers want it', () => {
    const { prompt } = extractQuestion(workflowOf(), TEXT);
    expect(prompt.responseSchema.schema).toMatchObject({
      required: ['fields', 'confidence'],
      properties: {
        fields: {
          additionalProperties: false,
          required: ['vendor', 'total', 'date', 'currency', 'lines'],
          properties: {
            vendor: { type: 'string', description: 'who sent it' },
            date: { type: ['string', 'null'], description: 'format date (YYYY-MM-DD)' },
            currency: { type: ['string', 'null'], enum: ['EUR', 'USD', null] },
          },
        },
      },
    });
  });

  it('takes an answer that fits, with the stated confidence', () => {
    expect(judge(GOOD)).toEqual({ kind: 'answer', value: { fields: GOOD }, confidence: 0.9 });
  });

  it('converts numbers in text and listed values in other case, and writes what is missing as null', () => {
    expect(judge({ vendor: 'Müller GmbH', total: '1234.5', currency: 'eur' })).toMatchObject({
      value: { fields: { total: 1234.5, currency: 'EUR', date: null, lines: null } },
    });
  });

  it('reads an answer without its wrapper, as models write that are not held to the schema', () => {
    expect(judge(JSON.stringify(GOOD))).toMatchObject({ kind: 'answer', value: { fields: GOOD } });
  });

  it.each([
    [{ ...GOOD, total: -1 }, 'total is under 0'],
    [{ ...GOOD, total: 'much' }, 'total is not a number'],
    [{ ...GOOD, date: '2026-02-30' }, 'date has not the format date (YYYY-MM-DD)'],
    [{ ...GOOD, currency: 'GBP' }, 'currency is none of the listed values'],
    [{ ...GOOD, vendor: null }, 'vendor is missing'],
    [{ ...GOOD, lines: [{ count: 1.5 }] }, 'lines[0].item is missing; lines[0].count is not a whole number'],
  ])('rejects %j field by field', (value, detail) => {
    expect(judge(value)).toEqual({ kind: 'rejected', code: 'invalid_field', detail });
  });

  it('lets a part of a longer document have none of the values', () => {
    const question = extractQuestion(workflowOf(), TEXT, { context: '' });
    const text = JSON.stringify({
      fields: { vendor: null, total: null, date: null, currency: null, lines: [] },
      confidence: 1,
    });
    expect(question.judge({ text, finish: 'stop' })).toMatchObject({
      kind: 'answer',
      value: { fields: { vendor: null, lines: [] } },
    });
  });

  it('rejects values that must occur and do not, and keeps them with a warning unless a doubt fails', () => {
    const mustOccur = ['vendor', 'total', 'lines.item'];
    expect(judge(GOOD, { mustOccur })).toMatchObject({ kind: 'answer' });
    const wrong = { ...GOOD, total: 999, lines: [{ item: 'Nuts', count: 3 }] };
    const judgement = judge(wrong, { mustOccur });
    expect(judgement).toMatchObject({ code: 'value_not_found', kept: { warnings: ['value_not_found'] } });
    expect(judgement).toMatchObject({ detail: expect.stringMatching(/^total; lines\[0\]\.item: /) });
    expect(judge(wrong, { mustOccur, failsOnDoubt: true })).not.toHaveProperty('kept');
  });

  it('gives each field the probability of its value, and the answer that of the least sure one', () => {
    const text =
      '{"fields":{"vendor":"Müller GmbH","total":1234.5,"date":null,"currency":null,"lines":null},"confidence":1}';
    const tokens: TokenLogprob[] = text
      .split(/(?<=[:,{])|(?=[,}])/)
      .map((token) => ({ token, logprob: token === '1234.5' ? Math.log(0.6) : 0 }));
    expect(judge(text, {}, { tokens, logprobsAsked: true })).toMatchObject({
      confidence: expect.closeTo(0.6, 6),
      value: { confidences: { vendor: 1, total: expect.closeTo(0.6, 6), date: 1 } },
    });
  });

  it('says that a confidence is only stated where log-probabilities were asked for and do not spell the reply', () => {
    expect(judge(GOOD, {}, { tokens: [{ token: 'x', logprob: 0 }], logprobsAsked: true })).toMatchObject({
      confidence: 0.9,
      warnings: ['confidence_stated'],
    });
  });
});

describe('jsonLeaves()', () => {
  it('finds every value and where it is', () => {
    const text = ' {"a": ["x", {"b\\"": -1.5}], "c" : null} ';
    expect(jsonLeaves(text).map(({ path, from, to }) => [path, text.slice(from, to)])).toEqual([
      [['a', 0], '"x"'],
      [['a', 1, 'b"'], '-1.5'],
      [['c'], 'null'],
    ]);
  });
});

describe('mergeFields()', () => {
  const schema = fieldsOf(SCHEMA);
  const part = (fields: object, more: Partial<PartFields> = {}): PartFields => ({
    fields: { vendor: null, total: null, date: null, currency: null, lines: [], ...fields },
    sources: {},
    ...more,
  });

  it('votes on single values, each vote as heavy as it is sure, and of equals takes the first', () => {
    expect(
      mergeFields(schema, [part({ vendor: 'A' }), part({ vendor: 'B' }), part({ vendor: 'b ' })]).fields.vendor,
    ).toBe('B');
    expect(mergeFields(schema, [part({ vendor: 'A' }), part({ vendor: 'B' })]).fields.vendor).toBe('A');
    const sure = [
      part({ vendor: 'A' }, { confidences: { vendor: 0.2 } }),
      part({ vendor: 'B' }, { confidences: { vendor: 0.9 } }),
    ];
    expect(mergeFields(schema, sure)).toMatchObject({ fields: { vendor: 'B' }, confidences: { vendor: 0.45 } });
  });

  it('joins lists in the order of the document, without what an earlier part has too', () => {
    const merged = mergeFields(schema, [
      part({
        lines: [
          { item: 'Bolts', count: 3 },
          { item: 'Bolts', count: 3 },
        ],
      }),
      part({
        lines: [
          { count: 3, item: 'bolts' },
          { item: 'Nuts', count: 1 },
        ],
      }),
    ]);
    expect(merged.fields.lines).toEqual([
      { item: 'Bolts', count: 3 },
      { item: 'Bolts', count: 3 },
      { item: 'Nuts', count: 1 },
    ]);
  });

  it('carries where each value is from all parts that agree, under its new place', () => {
    const span = (start: number) => [{ start, end: start + 5 }];
    const { sources } = mergeFields(schema, [
      part({ vendor: 'A', lines: [{ item: 'Bolts' }] }, { sources: { vendor: span(1), 'lines[0].item': span(10) } }),
      part(
        { vendor: 'A', lines: [{ item: 'Bolts' }, { item: 'Nuts' }] },
        { sources: { vendor: span(100), 'lines[0].item': span(110), 'lines[1].item': span(120) } },
      ),
      part({ vendor: 'B' }, { sources: { vendor: span(200) } }),
    ]);
    expect(sources).toEqual({
      vendor: [...span(1), ...span(100)],
      'lines[0].item': [...span(10), ...span(110)],
      'lines[1].item': span(120),
    });
  });
});
