import { describe, expect, test } from 'vitest';
import { loadConfigValue } from '../../config/load.ts';

const LABELS = Object.fromEntries(
  Array.from({ length: 120 }, (_, n) => [
    `label ${n}`,
    `What customers write about topic number ${n} of the catalogue`,
  ]),
);

function load(contextTokens: number, workflow: object, maxOutputTokens = 100) {
  const value = {
    providers: { home: { kind: 'openai', baseUrl: 'http://127.0.0.1:1/v1' } },
    models: { small: { provider: 'home', id: 'small-2026-01-01', contextTokens, maxOutputTokens } },
    workflows: { triage: { cascade: [{ model: 'small' }], ...workflow } },
  };
  return loadConfigValue(value, { env: {}, cwd: '/nowhere' });
}

describe('a prompt that leaves no room for a document', () => {
  test('because of its labels is refused with the workflow, the figures and what helps', () => {
    expect(() => load(2_048, { task: 'classify', labels: LABELS })).toThrow(
      /workflows\.triage: the prompt \(labels, instructions\) takes \d,\d{3} tokens and a reply up to \d+, which leaves 0 for a document in the 2,048 of model small .* at least 128 are needed\. Shorten labels or instructions, lower models\.small\.maxOutputTokens or raise its contextTokens/,
    );
    expect(load(8_192, { task: 'classify', labels: LABELS }).workflows.size).toBe(1);
  });

  test('because of its instructions or its reply is refused too', () => {
    const instructions = 'Be exact and name every party. '.repeat(300);
    const summarize = { task: 'summarize', summary: { maxWords: 60 } };
    expect(() => load(2_048, { ...summarize, instructions })).toThrow(/workflows\.triage: the prompt/);
    const long = { task: 'summarize', summary: { maxWords: 1_500 } };
    expect(() => load(2_048, long, 1_900)).toThrow(/a reply up to 1,900, which leaves 0 for a document/);
    expect(load(8_192, long, 1_900).workflows.size).toBe(1);
  });

  test('is no matter of a context that has none anyway: one fault is named once', () => {
    const message = (() => {
      try {
        load(512, { task: 'summarize' }, 512);
        return '';
      } catch (error) {
        return (error as Error).message;
      }
    })();
    expect(message).toContain('has 1 problem:');
  });
});
