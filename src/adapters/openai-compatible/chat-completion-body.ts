import type { ModelRequest } from '../../ports/model-client.ts';

/** The field that caps the reply: OpenAI's reasoning models take only `max_completion_tokens`, most servers only the other. */
export type MaxTokensField = 'max_tokens' | 'max_completion_tokens';

/** The request's JSON. The order of keys is fixed, so the same request gives the same bytes. */
export function chatCompletionBody(request: ModelRequest, maxTokensField: MaxTokensField): string {
  const responseFormat = responseFormatField(request.responseFormat);
  return JSON.stringify({
    model: request.modelId,
    messages: request.messages.map(({ role, content }) => ({ role, content })),
    [maxTokensField]: request.maxOutputTokens,
    ...(request.temperature === undefined ? {} : { temperature: request.temperature }),
    ...(responseFormat === undefined ? {} : { response_format: responseFormat }),
    ...(request.logprobs === true ? { logprobs: true, top_logprobs: 5 } : {}),
  });
}

function responseFormatField(format: ModelRequest['responseFormat']): object | undefined {
  if (format?.kind === 'json_object') return { type: 'json_object' };
  if (format?.kind !== 'json_schema') return undefined;
  return { type: 'json_schema', json_schema: { name: format.name, strict: true, schema: format.schema } };
}
