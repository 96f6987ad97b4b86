import type { EndpointCapabilities } from '../../providers/endpoint-capabilities.ts';
import type { ModelRequest } from '../../providers/model-client.ts';
import type { ReasoningRequest } from '../../workflows/reasoning.ts';

/** The request's JSON. What the endpoint cannot take is left out, not sent and refused. */
export function generateContentBody(request: ModelRequest, capabilities: EndpointCapabilities): string {
  const system = request.messages.filter(({ role, content }) => role === 'system' && content !== '');
  const turns = request.messages.filter(({ role }) => role !== 'system');
  return JSON.stringify({
    ...(system.length === 0 ? {} : { systemInstruction: { parts: system.map(({ content }) => ({ text: content })) } }),
    contents: turns.map(({ role, content }) => ({
      role: role === 'assistant' ? 'model' : 'user',
      parts: [{ text: content }],
    })),
    generationConfig: {
      maxOutputTokens: request.maxOutputTokens,
      ...(request.temperature === undefined || !capabilities.temperature ? {} : { temperature: request.temperature }),
      ...samplingFields(request.sampling),
      ...responseFields(request.responseFormat),
      ...(request.logprobs === true && capabilities.logprobs ? { responseLogprobs: true, logprobs: 5 } : {}),
      ...thinkingFields(capabilities.reasoning === 'none' ? undefined : request.reasoning),
    },
  });
}

/**
 * Levels are for Gemini 3 and later, budgets for 2.5, of which 0 switches it off where that is possible; a request has
 * one of them (https://ai.google.dev/gemini-api/docs/thinking).
 */
function thinkingFields(reasoning: ReasoningRequest | undefined): object {
  if (reasoning === undefined) return {};
  if ('budget' in reasoning) return { thinkingConfig: { thinkingBudget: reasoning.budget } };
  const { effort } = reasoning;
  return { thinkingConfig: effort === 'none' ? { thinkingBudget: 0 } : { thinkingLevel: effort } };
}

function samplingFields({ stop, ...others }: NonNullable<ModelRequest['sampling']> = {}): object {
  return { ...others, ...(stop === undefined ? {} : { stopSequences: stop }) };
}

function responseFields(format: ModelRequest['responseFormat']): object {
  if (format?.kind === 'json_object') return { responseMimeType: 'application/json' };
  // Not `responseSchema`: that takes only a part of OpenAPI's schemas, without `additionalProperties`.
  if (format?.kind === 'json_schema') {
    return { responseMimeType: 'application/json', responseJsonSchema: format.schema };
  }
  return {};
}
