import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseMessage } from '../../src/adapters/anthropic/parse-message.ts';
import { parseGenerateContent } from '../../src/adapters/gemini/parse-generate-content.ts';
import { parseChatCompletion } from '../../src/adapters/openai-compatible/parse-chat-completion.ts';
import { REJECTION_CODES, type ReplyText } from '../../src/prompts/question.ts';
import { classifyQuestion } from '../../src/tasks/classify/answer.ts';
import { parseJsonReply } from '../../src/tasks/parse-json-reply.ts';
import { summarizeQuestion } from '../../src/tasks/summarize/answer.ts';
import { countWords } from '../../src/text/count-words.ts';
import type { ClassifyWorkflow, SummarizeWorkflow } from '../../src/workflows/workflow.ts';
import { anyCharacter } from '../helpers/any-character.ts';

const LABELS = ['billing', 'bug', '__proto__'];
const TRIAGE: ClassifyWorkflow = {
  name: 'triage',
  task: 'classify',
  cascade: [],
  labels: LABELS.map((label) => ({ label, description: label })),
  examples: [],
};
const DIGEST: SummarizeWorkflow = {
  name: 'digest',
  task: 'summarize',
  cascade: [],
  summary: { maxWords: 20 },
  checks: { language: true, numbers: true, names: true, preamble: true, forbidden: [] },
};

const key = fc.oneof(
  fc.constantFrom('label', 'confidence', 'summary', 'facts', '__proto__', 'constructor', 'toString'),
  fc.string({ maxLength: 3 }),
);
const scalar = fc.oneof(
  fc.constantFrom<unknown>(
    'bug',
    'Billing ',
    '__proto__',
    '',
    'The mill turns in 1821.',
    95,
    -1,
    1e308,
    0.5,
    null,
    true,
  ),
  fc.string({ unit: anyCharacter }),
);
const { object } = fc.letrec<{ value: unknown; object: unknown }>((tie) => ({
  value: fc.oneof({ maxDepth: 2 }, scalar, fc.array(tie('value'), { maxLength: 4 }), tie('object')),
  object: fc.dictionary(key, tie('value'), { maxKeys: 5 }),
}));
/** As asked for, with any value in each place. */
const nearlyRight = fc.record(
  { label: scalar, confidence: scalar, summary: scalar, facts: fc.array(scalar, { maxLength: 20 }) },
  { requiredKeys: [] },
);
const around = fc.constantFrom('', 'Sure: ', '```json\n', '\n```', '{', '}', ' {"label": ', '\u0000', '\ud800');
/** JSON as models write it: wrapped, cut off, with numbers out of range, or something else altogether. */
const replyText = fc.oneof(
  fc
    .tuple(around, fc.oneof(object, nearlyRight), around, fc.nat({ max: 200 }))
    .map(([before, value, after, cut]) =>
      `${before}${JSON.stringify(value)}${after}`.slice(0, cut > 150 ? cut : undefined),
    ),
  fc.string({ unit: anyCharacter }),
  fc.constantFrom('{"label":"bug","confidence":1e999}', '[{"label":"bug"}]', '{"label":"bug"}{}'),
);
/** Deeper than any parser's stack; once is enough. */
const deepText = '{'.repeat(50_000);
const deepReply: ReplyText = { text: deepText, finish: 'stop' };
const reply: fc.Arbitrary<ReplyText> = fc
  .record(
    {
      text: replyText,
      finish: fc.constantFrom<ReplyText['finish']>('stop', 'length', 'other'),
      tokens: fc.array(fc.record({ token: fc.string(), logprob: fc.double() }), { maxLength: 5 }),
    },
    { requiredKeys: ['text', 'finish'] },
  )
  .map(({ text, finish, tokens }) => ({ text, finish, ...(tokens === undefined ? {} : { tokens }) }));

describe('a reply of any kind', () => {
  it('is a label of the set with a probability, or a rejection with a known code', () => {
    const { judge } = classifyQuestion(TRIAGE, 'The invoice is wrong');
    let answers = 0;
    fc.assert(
      fc.property(reply, (any) => {
        const judgement = judge(any);
        if (judgement.kind === 'rejected') {
          expect(REJECTION_CODES).toContain(judgement.code);
          return;
        }
        answers += 1;
        expect(Object.keys(judgement.value)).toEqual(['label']);
        expect(LABELS).toContain(judgement.value.label);
        const { confidence = 0 } = judgement;
        expect(confidence >= 0 && confidence <= 1).toBe(true);
      }),
      { numRuns: 1_000, examples: [[deepReply]] },
    );
    expect(answers).toBeGreaterThan(20);
  });

  it.each(['single', 'map', 'combine', 'reduce'] as const)(
    'is a well-formed summary of a fair length, or a rejection with a known code (%s)',
    (step) => {
      const { judge } = summarizeQuestion(DIGEST, step, 'The mill turns in 1821.');
      let answers = 0;
      fc.assert(
        fc.property(reply, (any) => {
          const judgement = judge(any);
          if (judgement.kind === 'rejected') {
            expect(REJECTION_CODES).toContain(judgement.code);
            return;
          }
          answers += 1;
          const { summary, facts } = judgement.value;
          expect(summary.trim()).not.toBe('');
          expect([summary, ...facts].every((text) => text.isWellFormed())).toBe(true);
          expect(countWords(summary)).toBeLessThanOrEqual(200);
          expect(facts.every((fact) => typeof fact === 'string')).toBe(true);
        }),
        { numRuns: 500, examples: [[deepReply]] },
      );
      expect(answers).toBeGreaterThan(5);
    },
  );

  it('gives an object of its own keys, or nothing', () => {
    fc.assert(
      fc.property(replyText, (text) => {
        const found = parseJsonReply({ text }, 'label');
        if (found?.kind === 'found') expect(Object.getPrototypeOf(found.object)).toBe(Object.prototype);
      }),
      { examples: [[deepText]] },
    );
  });
});

describe('a response body of any shape', () => {
  const samples = {
    parseChatCompletion: {
      parse: parseChatCompletion,
      body: {
        id: 'a',
        choices: [
          {
            message: { content: 'hi', refusal: null },
            finish_reason: 'stop',
            logprobs: { content: [{ token: 'hi', logprob: -0.1 }] },
          },
        ],
        usage: { prompt_tokens: 1, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 0 } },
      },
    },
    parseMessage: {
      parse: parseMessage,
      body: {
        id: 'a',
        type: 'message',
        content: [{ type: 'text', text: 'hi' }],
        stop_reason: 'end_turn',
        usage: { input_tokens: 1, output_tokens: 2, cache_read_input_tokens: 0 },
      },
    },
    parseGenerateContent: {
      parse: parseGenerateContent,
      body: {
        responseId: 'a',
        candidates: [{ content: { parts: [{ text: 'hi' }] }, finishReason: 'STOP' }],
        usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 2, thoughtsTokenCount: 0 },
      },
    },
  } as const;

  it.each(Object.entries(samples))(
    '%s() never throws, and counts no tokens that are not whole',
    (_, { parse, body }) => {
      expect(parse(body)).toMatchObject({ answer: { text: 'hi', finish: 'stop' }, usage: { inputTokens: 1 } });
      const paths = pathsOf(body);
      const anyValue = fc.oneof(
        fc.jsonValue(),
        fc.constantFrom<unknown>(undefined, -1, 1.5, 1e21, '__proto__', {}, [], [null]),
      );
      fc.assert(
        fc.property(fc.constantFrom(...paths), anyValue, (path, value) => {
          const { answer, usage } = parse(withValue(body, path, value));
          if (answer !== undefined) expect(typeof answer.text).toBe('string');
          for (const count of Object.values(usage ?? {})) {
            expect(count === undefined || (Number.isSafeInteger(count) && count >= 0)).toBe(true);
          }
        }),
        { numRuns: 500 },
      );
    },
  );
});

/** Every place in a JSON value, the whole first. */
function pathsOf(value: unknown): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [[]];
  return [[], ...Object.entries(value).flatMap(([name, inner]) => pathsOf(inner).map((path) => [name, ...path]))];
}

function withValue(target: unknown, [name, ...rest]: readonly string[], value: unknown): unknown {
  if (name === undefined) return value;
  const inner = (target as Readonly<Record<string, unknown>>)[name];
  const changed = withValue(inner, rest, value);
  if (Array.isArray(target)) return target.map((item, index) => (String(index) === name ? changed : item));
  return { ...(target as object), [name]: changed };
}
