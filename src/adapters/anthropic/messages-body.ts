import type { EndpointCapabilities } from '../../providers/endpoint-capabilities.ts';
import type { ModelRequest } from '../../providers/model-client.ts';
import type { ReasoningRequest } from '../../workflows/reasoning.ts';

/**
 * The request's JSON. There is no JSON mode without a schema: then the words of the prompt have to do.
 * System messages go first, as blocks of their own, whatever their place; the last of them ends the stable prefix that
 * the cache keeps.
 */
export function messagesBody(request: ModelRequest, capabilities: EndpointCapabilities): string {
  const { responseFormat } = request;
  const turns = request.messages.filter(({ role }) => role !== 'system');
  const system = systemBlocks(request, capabilities.promptCache === 'markers');
  const { thinking, effort } = thinkingFields(capabilities.reasoning === 'none' ? undefined : request.reasoning);
  const outputConfig = {
    ...(responseFormat?.kind === 'json_schema'
      ? { format: { type: 'json_schema', schema: responseFormat.schema } }
      : {}),
    ...(effort === undefined ? {} : { effort }),
  };
  return JSON.stringify({
    model: request.modelId,
    max_tokens: request.maxOutputTokens,
    ...(system.length === 0 ? {} : { system }),
    messages: turns.map(({ role, content }) => ({ role, content })),
    ...(request.temperature === undefined || !capabilities.temperature ? {} : { temperature: request.temperature }),
    ...(request.sampling?.stop === undefined ? {} : { stop_sequences: request.sampling.stop }),
    ...(request.sampling?.topP === undefined || !capabilities.temperature ? {} : { top_p: request.sampling.topP }),
    ...(thinking === undefined ? {} : { thinking }),
    ...(Object.keys(outputConfig).length === 0 ? {} : { output_config: outputConfig }),
  });
}

/**
 * What each model takes differs: an effort, from Claude 4.6 on; a budget, before that; `disabled` not where thinking is
 * always on (Opus 5.5, Fable), and Sonnet 5.5 has `between_tools` in its place, which is none where there are no tools
 * (https://platform.claude.com/docs/en/build-with-claude/thinking#configuring-thinking). What a model does not take is
 * answered with 400, and `doctor` says what to write.
 */
function thinkingFields(reasoning: ReasoningRequest | undefined): { thinking?: object; effort?: string } {
  if (reasoning === undefined) return {};
  if ('budget' in reasoning) return { thinking: { type: 'enabled', budget_tokens: reasoning.budget } };
  const { effort } = reasoning;
  if (effort === 'none') return { thinking: { type: 'disabled' } };
  if (effort === 'minimal') return { thinking: { type: 'between_tools' } };
  return { thinking: { type: 'adaptive' }, effort };
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
