import { createHash } from 'node:crypto';
import { CallFailedError } from '../../calls/stop.ts';
import { askCascade, type CascadeContext } from '../../cascades/ask-cascade.ts';
import type { Prompt, Question, ReplyText } from '../../prompts/question.ts';
import { parseJson } from '../../text/json-value.ts';
import { type ChatWorkflow, type ModelSpec, modelsOfTier } from '../../workflows/workflow.ts';
import type { DocumentText } from '../long-documents/cut-document.ts';
import type { StepPrompts } from '../long-documents/document-windows.ts';
import type { ChatCompletion } from '../result-row.ts';
import type { LocalOutcome, Task, TaskAnswer } from '../task.ts';
import { chatOptions } from './options.ts';
import { type ChatAsk, readChatRequest } from './read-request.ts';
import { chatSetup } from './setup.ts';

/** Whole chat requests, sent as they are: the reply is the answer, whatever it says. */
export const chatTask = {
  options: chatOptions,
  setup: chatSetup,
  hasNoConfidence: true,
  needsPaidTiers: true,
  sendsAsIs: true,
  promptVersion: 'chat-v1',
  prompts: chatPrompts,
  noteTokens: () => 0,
  planParts: (_, parts) => ({ combines: 0, reduces: 0, depth: 1, leastCalls: parts }),
  answer: answerChat,
  answerLocally: async (_, __, texts) => texts.map((): LocalOutcome => NO_LOCAL_ANSWER),
  digestPart: (result) => ({ text: firstChoice(result)?.message.content ?? '' }),
  columns: { answer: [] },
  fieldColumns: () => [
    { name: 'reply', kind: 'text', value: (result) => firstChoice(result)?.message.content },
    { name: 'finishReason', kind: 'text', value: (result) => firstChoice(result)?.finish_reason },
  ],
} satisfies Task<ChatWorkflow>;

/** The config refuses the local model here; a stored batch cannot have it either. */
const NO_LOCAL_ANSWER: LocalOutcome = {
  kind: 'unsure',
  code: 'no_tier_left',
  message: 'The local model does not chat. Put a paid model into the cascade.',
};

function firstChoice(result: unknown): ChatCompletion['choices'][number] | undefined {
  return (result as ChatCompletion).choices[0];
}

/** Requests bring their own words: there are none of the workflow's. */
function chatPrompts(workflow: ChatWorkflow): StepPrompts {
  const prompt = promptOf(workflow, { messages: [], settings: {} });
  return { single: prompt, part: prompt };
}

function promptOf(workflow: ChatWorkflow, { messages, maxTokens, settings }: ChatAsk): Prompt {
  const models = workflow.cascade.flatMap(modelsOfTier);
  const most = Math.max(...models.map(({ maxOutputTokens }) => maxOutputTokens));
  return {
    messages,
    outputTokens: maxTokens ?? workflow.chat?.maxTokens ?? most,
    responseSchema: { name: 'reply', schema: {} },
    asked: settings,
  };
}

/** @throws {CallFailedError} `invalid_request`, before any call; `request_too_long`; and as the cascade */
async function answerChat(
  context: CascadeContext,
  workflow: ChatWorkflow,
  { text }: DocumentText,
): Promise<TaskAnswer> {
  const asked = readChatRequest(parseJson(text));
  if ('code' in asked) throw new CallFailedError('invalid_request', `${asked.message} (${asked.code})`);
  requireFormat(workflow, asked);
  const question: Question<ReplyText> = {
    prompt: promptOf(workflow, asked),
    takesRefusals: true,
    judge: (reply) => ({ kind: 'answer', value: reply, confidence: 1 }),
  };
  try {
    const { value, confidence: _, ...by } = await askCascade({ ...context, mayCut: false }, question);
    const model = workflow.cascade.flatMap(modelsOfTier).find(({ name }) => name === by.model);
    const created = Math.floor(context.models.clock.now() / 1_000);
    return { result: completionOf(value, model, text, created), ...by };
  } catch (error) {
    // Nothing can be cut from a request that is sent as it is.
    if (!(error instanceof CallFailedError) || error.code !== 'context_overflow') throw error;
    throw new CallFailedError('request_too_long', `The request is longer than the model's context. ${error.message}`, {
      cause: error,
    });
  }
}

/** A reply without its schema would look like an answer, and be none. */
function requireFormat({ cascade }: ChatWorkflow, { settings: { format } }: ChatAsk): void {
  if (format === undefined) return;
  const lacking = cascade.flatMap(modelsOfTier).find((model) => !takesFormat(model, format.kind));
  if (lacking === undefined) return;
  throw new CallFailedError(
    'invalid_request',
    `The model ${lacking.name} takes no response_format of type ${format.kind} (structuredOutput: ${lacking.structuredOutput}).`,
  );
}

function takesFormat({ structuredOutput }: ModelSpec, kind: 'json_object' | 'json_schema'): boolean {
  return structuredOutput === 'json_schema' || structuredOutput === kind;
}

const FINISH_REASONS = { stop: 'stop', length: 'length', refusal: 'content_filter', other: 'stop' } as const;

function completionOf(
  { text, finish, tokens }: ReplyText,
  model: ModelSpec | undefined,
  request: string,
  created: number,
): ChatCompletion {
  const isRefused = finish === 'refusal';
  const mark = createHash('sha256').update(`${model?.id}\0${request}`).digest('hex').slice(0, 24);
  return {
    id: `chatcmpl-${mark}`,
    object: 'chat.completion',
    created,
    model: model?.id ?? '',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: isRefused ? null : text,
          refusal: isRefused ? text : null,
          annotations: [],
        },
        logprobs: tokens === undefined ? null : { content: tokens.map(tokenOf), refusal: null },
        finish_reason: FINISH_REASONS[finish],
      },
    ],
  };
}

function tokenOf({ token, logprob, bytes }: NonNullable<ReplyText['tokens']>[number]) {
  return { token, logprob, bytes: bytes ?? [...Buffer.from(token)], top_logprobs: [] };
}
