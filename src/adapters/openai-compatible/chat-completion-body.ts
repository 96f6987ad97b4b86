import type { EndpointCapabilities } from '../../providers/endpoint-capabilities.ts';
import type { ModelRequest } from '../../providers/model-client.ts';
import { messagesJson, schemaJson } from '../../requests/repeated-json.ts';
import { reasoningFields } from './reasoning-fields.ts';

type Sampling = NonNullable<ModelRequest['sampling']>;

/** The request's JSON. What the endpoint cannot take is left out, not sent and refused. */
export function chatCompletionBody(request: ModelRequest, capabilities: EndpointCapabilities): string {
  const { temperature, maxOutputTokens } = request;
  const responseFormat = responseFormatJson(request.responseFormat);
  let json = `{"model":${JSON.stringify(request.modelId)},"messages":${messagesJson(request.messages)}`;
  json += `,"${capabilities.maxTokensField}":${maxOutputTokens}`;
  if (temperature !== undefined && capabilities.temperature) json += `,"temperature":${temperature}`;
  if (responseFormat !== undefined) json += `,"response_format":${responseFormat}`;
  if (request.sampling !== undefined) json += fieldsJson(samplingFields(request.sampling));
  if (request.logprobs === true && capabilities.logprobs) json += ',"logprobs":true,"top_logprobs":5';
  return `${json}${fieldsJson(reasoningFields(request.reasoning, capabilities.reasoning))}}`;
}

/** With a comma before each. */
function fieldsJson(fields: object): string {
  let json = '';
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) json += `,${JSON.stringify(name)}:${JSON.stringify(value)}`;
  }
  return json;
}

function samplingFields({ topP, seed, stop, presencePenalty, frequencyPenalty }: Sampling): object {
  return { top_p: topP, seed, stop, presence_penalty: presencePenalty, frequency_penalty: frequencyPenalty };
}

function responseFormatJson(format: ModelRequest['responseFormat']): string | undefined {
  if (format?.kind === 'json_object') return '{"type":"json_object"}';
  if (format?.kind !== 'json_schema') return undefined;
  const schema = schemaJson(format.schema);
  return `{"type":"json_schema","json_schema":{"name":${JSON.stringify(format.name)},"strict":${format.strict ?? true},"schema":${schema}}}`;
}
