import { type Answer, type Answerer, buildAnswer } from './build-answer.ts';
import type { ChatRequest } from './chat-request.ts';
import type { FaultName } from './options.ts';
import { chance } from './random.ts';
import type { TokenCounter } from './token-counter.ts';
import { tokenLogprobs } from './token-logprobs.ts';

/** What a garbage reply holds: the page of a proxy that answered in the provider's place. */
export const SPOILED_BODY = '<html><body><h1>502 Bad Gateway</h1></body></html>';

const REFUSAL = "I'm sorry, but I can't help with that request.";

export interface CallToAnswer {
  readonly request: ChatRequest;
  readonly requestId: string;
  readonly fault: FaultName | undefined;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly maxOutputTokens: number;
  /** Billed beside the reply, beyond its cap. */
  readonly thinkingTokens: number;
}

/** The body of a chat completion and its output tokens, with the faults that show in the text. */
export function makeReply(
  call: CallToAnswer,
  model: Omit<Answerer, 'wrongLabel'> & { readonly counter: TokenCounter },
): { readonly body: string; readonly outputTokens: number } {
  const { request, fault } = call;
  const refused = fault === 'refusal';
  const answer = refused
    ? { content: REFUSAL, choices: [] }
    : fault === 'empty'
      ? { content: '', choices: [] }
      : spoil(buildAnswer(request, { ...model, wrongLabel: fault === 'wrongLabel' }), call, model.seed);
  const wholeTokens = model.counter.count(answer.content);
  const limit = Math.min(
    call.maxOutputTokens,
    fault === 'truncated' ? Math.max(1, Math.floor(wholeTokens / 2)) : wholeTokens,
  );
  const cut = wholeTokens > limit || fault === 'truncated';
  const tokens = cut || request.logprobs ? model.counter.split(answer.content).slice(0, limit) : undefined;
  const content = cut && tokens !== undefined ? tokens.join('') : answer.content;
  const logprobs =
    request.logprobs && !refused && tokens !== undefined
      ? { content: tokenLogprobs(tokens, answer.choices, request.topLogprobs, model.seed, request.hash), refusal: null }
      : null;
  const outputTokens = limit + call.thinkingTokens;
  const body = JSON.stringify({
    id: `chatcmpl-${call.requestId}`,
    object: 'chat.completion',
    created: Math.floor(Date.now() / 1000),
    model: request.model,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: refused ? null : content, refusal: refused ? content : null },
        logprobs,
        finish_reason: cut ? 'length' : 'stop',
      },
    ],
    usage: {
      prompt_tokens: call.inputTokens,
      completion_tokens: outputTokens,
      total_tokens: call.inputTokens + outputTokens,
      prompt_tokens_details: { cached_tokens: call.cachedInputTokens },
      completion_tokens_details: { reasoning_tokens: call.thinkingTokens },
    },
    system_fingerprint: 'fp_simulated',
  });
  return { body, outputTokens };
}

/** The `badJson` fault: prose, JSON of another shape, or JSON that breaks off, though the reply claims to be whole. */
function spoil(answer: Answer, call: CallToAnswer, seed: number): Answer {
  if (call.fault !== 'badJson') return answer;
  const kinds = [
    `Sure! Here is the answer you asked for: ${answer.content.replace(/[{}"]/g, '')}`,
    '{"unexpected":true}',
    answer.content.slice(0, Math.max(1, Math.floor(answer.content.length * 0.6))),
  ];
  const content = kinds[Math.floor(chance(seed, call.requestId, 'bad JSON') * kinds.length)] ?? '';
  return { content, choices: [] };
}
