import type { EndpointCapabilities } from '../../providers/endpoint-capabilities.ts';
import type { ReasoningRequest } from '../../workflows/reasoning.ts';

/**
 * How a chat-completions server is told how much to think. Every one of them knows `reasoning_effort`, but for switching
 * it off many have a field of their own; their sources stand in `config/presets.ts`.
 */
export function reasoningFields(
  reasoning: ReasoningRequest | undefined,
  form: EndpointCapabilities['reasoning'],
): object {
  if (reasoning === undefined || form === 'none') return {};
  if ('budget' in reasoning) return form === 'object' ? { reasoning: { max_tokens: reasoning.budget } } : {};
  const { effort } = reasoning;
  if (form === 'object') return { reasoning: { effort } };
  if (effort === 'none') {
    if (form === 'switch') return { reasoning: { enabled: false } };
    if (form === 'thinking') return { thinking: { type: 'disabled' } };
    if (form === 'template') return { chat_template_kwargs: { enable_thinking: false } };
  }
  return { reasoning_effort: effort };
}
