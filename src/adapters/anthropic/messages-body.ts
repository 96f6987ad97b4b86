import type { EndpointCapabilities } from '../../domain/endpoint-capabilities.ts';
import type { ModelRequest } from '../../ports/model-client.ts';

/**
 * The request's JSON. There is no JSON mode without a schema: then the words of the prompt have to do.
 * System messages go first, as blocks of their own, whatever their place; the last of them ends the stable prefix that
 * the cache keeps.
 */
export function messagesBody(request: ModelRequest, capabilities: EndpointCapabilities): string {
  const { responseFormat } = request;
  const turns = request.messages.filter(({ role }) => role !== 'system');
  const system = systemBlocks(request, capabilities.promptCache === 'markers');
  return JSON.stringify({
    model: request.modelId,
    max_tokens: request.maxOutputTokens,
    ...(system.length === 0 ? {} : { system }),
    messages: turns.map(({ role, content }) => ({ role, content })),
    ...(request.temperature === undefined || !capabilities.temperature ? {} : { temperature: request.temperature }),
    ...(responseFormat?.kind === 'json_schema'
      ? { output_config: { format: { type: 'json_schema', schema: responseFormat.schema } } }
      : {}),
  });
}

function systemBlocks({ messages }: ModelRequest, isMarked: boolean): object[] {
  const texts = messages.filter(({ role, content }) => role === 'system' && content !== '');
  return texts.map(({ content }, index) => ({
    type: 'text',
    text: content,
    // A prefix below the model's minimum is not kept, and not charged for: the marker does no harm.
    ...(isMarked && index === texts.length - 1 ? { cache_control: { type: 'ephemeral' } } : {}),
  }));
}
