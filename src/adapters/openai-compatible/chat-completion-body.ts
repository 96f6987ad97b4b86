import type { EndpointCapabilities } from '../../providers/endpoint-capabilities.ts';
import type { ModelRequest } from '../../providers/model-client.ts';
import { messagesJson, schemaJson } from '../../requests/repeated-json.ts';
import { reasoningFields } from './reasoning-fields.ts';

/** The request's JSON. What the endpoint cannot take is left out, not sent and refused. */
export function chatCompletionBody(request: ModelRequest, capabilities: EndpointCapabilities): string {
  const { temperature, maxOutputTokens } = request;
  const responseFormat = responseFormatJson(request.responseFormat);
  const reasoning = Object.entries(reasoningFields(request.reasoning, capabilities.reasoning));
  const fields = [
    `"model":${JSON.stringify(request.modelId)}`,
    `"messages":${messagesJson(request.messages)}`,
    `"${capabilities.maxTokensField}":${maxOutputTokens}`,
    ...(temperature === undefined || !capabilities.temperature ? [] : [`"temperature":${temperature}`]),
    ...(responseFormat === undefined ? [] : [`"response_format":${responseFormat}`]),
    ...samplingFields(request.sampling),
    ...(request.logprobs === true && capabilities.logprobs ? ['"logprobs":true,"top_logprobs":5'] : []),
    ...reasoning.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`),
  ];
  return `{${fields.join(',')}}`;
}

function samplingFields(sampling: ModelRequest['sampling'] = {}): readonly string[] {
  const { topP, seed, stop, presencePenalty, frequencyPenalty } = sampling;
  const fields = { top_p: topP, seed, stop, presence_penalty: presencePenalty, frequency_penalty: frequencyPenalty };
  return Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [`"${name}":${JSON.stringify(value)}`],
  );
}

function responseFormatJson(format: ModelRequest['responseFormat']): string | undefined {
  if (format?.kind === 'json_object') return '{"type":"json_object"}';
  if (format?.kind !== 'json_schema') return undefined;
  const schema = schemaJson(format.schema);
  return `{"type":"json_schema","json_schema":{"name":${JSON.stringify(format.name)},"strict":${format.strict ?? true},"schema":${schema}}}`;
}
