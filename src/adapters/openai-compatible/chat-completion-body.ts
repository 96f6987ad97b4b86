import type { EndpointCapabilities } from '../../domain/endpoint-capabilities.ts';
import type { ModelRequest } from '../../ports/model-client.ts';
import { reasoningFields } from './reasoning-fields.ts';

/** The request's JSON. What the endpoint cannot take is left out, not sent and refused. */
export function chatCompletionBody(request: ModelRequest, capabilities: EndpointCapabilities): string {
  const responseFormat = responseFormatField(request.responseFormat);
  return JSON.stringify({
    model: request.modelId,
    messages: request.messages.map(({ role, content }) => ({ role, content })),
    [capabilities.maxTokensField]: request.maxOutputTokens,
    ...(request.temperature === undefined || !capabilities.temperature ? {} : { temperature: request.temperature }),
    ...(responseFormat === undefined ? {} : { response_format: responseFormat }),
    ...(request.logprobs === true && capabilities.logprobs ? { logprobs: true, top_logprobs: 5 } : {}),
    ...reasoningFields(request.reasoning, capabilities.reasoning),
  });
}

function responseFormatField(format: ModelRequest['responseFormat']): object | undefined {
  if (format?.kind === 'json_object') return { type: 'json_object' };
  if (format?.kind !== 'json_schema') return undefined;
  return { type: 'json_schema', json_schema: { name: format.name, strict: true, schema: format.schema } };
}
