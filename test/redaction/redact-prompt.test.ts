import { describe, expect, it } from 'vitest';
import { fenceDocument } from '../../src/prompts/fence.ts';
import type { Prompt } from '../../src/prompts/question.ts';
import { redactPrompt as redactPromptInSteps } from '../../src/redaction/redact-prompt.ts';
import { Redactor } from '../../src/redaction/redactor.ts';
import { finish } from '../../src/runtime/steps.ts';
import { summarizeQuestion } from '../../src/tasks/summarize/answer.ts';
import type { SummarizeWorkflow } from '../../src/workflows/workflow.ts';

const WORKFLOW: SummarizeWorkflow = { name: 'w', task: 'summarize', cascade: [], summary: { maxWords: 50 } };
const redactPrompt = (prompt: Prompt, redactor: Redactor) => finish(redactPromptInSteps(prompt, redactor));
const POLICY = { rules: ['email'], patterns: [] } as const;

describe('redactPrompt()', () => {
  it('puts up the fence of a part and of its context anew, so that its mark tells nothing about the values', () => {
    const text = 'Ask jane@example.com.';
    const context = 'Earlier: bob@example.com.';
    const { prompt } = summarizeQuestion(WORKFLOW, 'map', text, context);
    const redacted = redactPrompt(prompt, Redactor.of(`${context} ${text}`, POLICY));
    expect(redacted.prompt.messages[1]?.content).toBe(fenceDocument('Ask [EMAIL_2].', 'Earlier: [EMAIL_1].'));
    expect(redacted.restore('[EMAIL_2]').text).toBe('jane@example.com');
  });

  it('has the same system message for every document, with and without values', () => {
    const systemOf = (text: string) =>
      redactPrompt(summarizeQuestion(WORKFLOW, 'single', text).prompt, Redactor.of(text, POLICY)).prompt.messages[0];
    expect(systemOf('Ask jane@example.com.')).toEqual(systemOf('Nothing here.'));
  });

  it('hides the values of a message without a fence as well', () => {
    const { prompt } = summarizeQuestion(WORKFLOW, 'single', 'x');
    const messages = [{ role: 'user' as const, content: 'Ask jane@example.com.' }];
    const redacted = redactPrompt({ ...prompt, messages }, Redactor.of('jane@example.com', POLICY));
    expect(redacted.prompt.messages).toEqual([{ role: 'user', content: 'Ask [EMAIL_1].' }]);
  });
});
