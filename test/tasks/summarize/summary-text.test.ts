import { describe, expect, it } from 'vitest';
import { summarizeQuestion } from '../../../src/tasks/summarize/answer.ts';
import type { SummarizeWorkflow } from '../../../src/workflows/workflow.ts';

const WORKFLOW: SummarizeWorkflow = { name: 'digest', task: 'summarize', cascade: [], summary: { maxWords: 60 } };
const DOCUMENT = "The harbour office's staff asks for pallets and says soon. It wants them by April.";
const judge = (text: string) => summarizeQuestion(WORKFLOW, 'single', DOCUMENT).judge({ text, finish: 'stop' });
const [FIRST, SECOND] = ['The harbour office asks for pallets.', 'It wants them by April.'];
const BOTH = `${FIRST} ${SECOND}`;

describe('a summary in another form', () => {
  it.each([
    ['a list of objects', `{"summary":[{"sentence":"${FIRST}"},{"sentence":"${SECOND}"}]}`, BOTH],
    ['numbered sentences', `{"summary":{"1":"${FIRST}","2":"${SECOND}"}}`, BOTH],
    ['an object of one text', `{"summary":{"en":"${FIRST}"}}`, FIRST],
    ['twice inside itself', `{"summary":{"summary":{"text":"${FIRST}"}}}`, FIRST],
    ['JSON in its own text', `{"summary":"{\\"summary\\": \\"${FIRST}\\"}"}`, FIRST],
    ['a key with it in its name', `{"document_summary":"${FIRST}"}`, FIRST],
    ['the only prose', `{"title":"A letter about pallets and more words","Zusammenfassung":"${FIRST}"}`, FIRST],
    ['tags', `<think>hm</think><summary>${FIRST}</summary>`, FIRST],
    ['tags inside', `{"summary":"<summary>${FIRST}</summary>"}`, FIRST],
    ['its title', `**Summary:**\n\n${FIRST}\n${SECOND}`, BOTH],
    ['YAML', `summary: >-\n  ${FIRST}\n  ${SECOND}`, BOTH],
    ['an end token in the text', `{"summary":"${FIRST}<|im_end|>"}`, FIRST],
    ['texts joined with a plus', `{"summary": "${FIRST} " + "${SECOND}"}`, BOTH],
    ['texts one above the other', `{"summary": "${FIRST} "\n  "${SECOND}"}`, BOTH],
    [
      'single quotes and an apostrophe',
      "{'summary': 'The harbour office's staff asks for pallets.'}",
      "The harbour office's staff asks for pallets.",
    ],
    ["Python's long text", `{"summary": '''${FIRST}'''}`, FIRST],
    ['no last brace', `{"summary":"${FIRST}"`, FIRST],
    ['no first brace', `"summary":"${FIRST}"}`, FIRST],
  ])('%s', (_, text, expected) => {
    expect(judge(text)).toMatchObject({ kind: 'answer', value: { summary: expected } });
  });

  it.each(['null', 'N/A', 'string', 'None', '...', '<summary>'])('is empty where it says %s', (said) => {
    expect(judge(JSON.stringify({ summary: said }))).toMatchObject({ kind: 'rejected', code: 'empty_summary' });
  });

  it.each([
    ['a text that is still open', `{"summary":"${FIRST}`],
    ['two of a kind', `{"a":"${FIRST}","b":"The office wants its pallets by April."}`],
    ['an excuse', '{"error":"The harbour office asks for something I cannot tell."}'],
    ['the schema', '{"properties":{"summary":{"type":"string","description":"The summary of the harbour office"}}}'],
  ])('is none in %s', (_, text) => {
    expect(judge(text)).toMatchObject({ kind: 'rejected' });
  });

  it('leaves quotes in a text as they stand', () => {
    const summary = 'It says "soon" + "April": the harbour office.';
    expect(judge(JSON.stringify({ summary }))).toMatchObject({ value: { summary } });
  });
});
