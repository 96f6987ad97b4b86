import { type SummarizeStep, summarizeMessages } from '../prompts/summarize-v1.ts';
import type { SummarizeWorkflow } from '../workflow.ts';
import { parseJsonReply } from './parse-json-reply.ts';
import type { Judgement, Question, ReplyText } from './task.ts';

export interface SummaryAnswer {
  readonly summary: string;
}

/** Most languages need under two and a half tokens for a word of a summary. */
const TOKENS_PER_WORD = 2.5;
const JSON_FRAME_TOKENS = 48;
/** Models overshoot a word limit a little; well past it the reply ignored the task. */
const TOLERATED_LENGTH = 1.5;
/** Notes keep more than the summary will, so that the reduce step has something to choose from. */
const NOTES_LENGTH = 1.5;

export function summaryWords(workflow: SummarizeWorkflow, step: SummarizeStep): number {
  const { maxWords } = workflow.summary;
  return step === 'map' ? Math.ceil(Math.max(80, maxWords * NOTES_LENGTH)) : maxWords;
}

/** Tokens that the reply of a step has at most. */
export function summaryTokens(workflow: SummarizeWorkflow, step: SummarizeStep): number {
  return Math.ceil(summaryWords(workflow, step) * TOKENS_PER_WORD) + JSON_FRAME_TOKENS;
}

export function summarizeQuestion(
  workflow: SummarizeWorkflow,
  step: SummarizeStep,
  text: string,
): Question<SummaryAnswer> {
  const maxWords = summaryWords(workflow, step);
  return {
    prompt: {
      messages: summarizeMessages(workflow, step, text, maxWords),
      outputTokens: summaryTokens(workflow, step),
      responseSchema: {
        name: 'summary',
        schema: {
          type: 'object',
          properties: { summary: { type: 'string' } },
          required: ['summary'],
          additionalProperties: false,
        },
      },
    },
    judge: (reply) => judgeSummary(reply, maxWords),
  };
}

function judgeSummary(reply: ReplyText, maxWords: number): Judgement<SummaryAnswer> {
  const value = parseJsonReply(reply.text);
  if (value === undefined) return { kind: 'rejected', code: 'invalid_json', detail: 'the reply is not a JSON object' };
  const summary = typeof value['summary'] === 'string' ? value['summary'].trim().toWellFormed() : undefined;
  if (summary === undefined)
    return { kind: 'rejected', code: 'invalid_shape', detail: 'the reply has no "summary" text' };
  if (summary === '') return { kind: 'rejected', code: 'empty_summary', detail: 'the summary is empty' };
  const words = summary.split(/\s+/).length;
  if (words > maxWords * TOLERATED_LENGTH + 10) {
    return {
      kind: 'rejected',
      code: 'too_long',
      detail: `the summary has ${words} words; at most ${maxWords} were asked for`,
    };
  }
  // A valid summary says nothing about its own quality, so it never passes a threshold by confidence alone.
  return { kind: 'answer', value: { summary }, confidence: 1 };
}

/** The notes of consecutive parts as one text for the reduce step. */
export function joinNotes(notes: readonly string[]): string {
  return notes.join('\n\n');
}
