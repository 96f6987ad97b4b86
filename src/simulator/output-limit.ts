import type { ChatRequest } from './chat-request.ts';
import { ProviderError } from './provider-error.ts';
import type { ResolvedModel } from './resolve-options.ts';

/**
 * Tokens that the reply may have: what the request asks for, else what the model and its context allow.
 *
 * @throws {ProviderError} 400, the call does not fit the model
 */
export function outputLimit(request: ChatRequest, model: ResolvedModel, inputTokens: number): number {
  const wanted = request.maxOutputTokens;
  if (wanted !== undefined && wanted > model.maxOutputTokens) {
    throw new ProviderError(
      400,
      `max_tokens is too large: ${wanted}. This model supports at most ${model.maxOutputTokens} completion tokens.`,
      { param: 'max_tokens', code: 'invalid_value' },
    );
  }
  const needed = wanted ?? 1;
  const left = model.contextTokens - inputTokens;
  if (left >= needed) return wanted ?? Math.min(model.maxOutputTokens, left);
  throw new ProviderError(
    400,
    `This model's maximum context length is ${model.contextTokens} tokens. However, you requested ${inputTokens + needed} ` +
      `tokens (${inputTokens} in the messages, ${needed} in the completion). Please reduce the length of either one.`,
    { param: 'messages', code: 'context_length_exceeded' },
  );
}
