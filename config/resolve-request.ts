import type { JsonFields } from '../src/requests/model-request.ts';
import type { ProviderConfig } from './config.ts';
import type { RawConfig } from './schema.ts';

type RawModel = RawConfig['models'][string];

/** Fields that the program writes itself, with the setting that changes them; empty: nothing does. */
const OWN_FIELDS: ReadonlyMap<string, string> = new Map([
  ...['model', 'messages', 'stream', 'stream_options', 'n', 'system', 'contents', 'systemInstruction'].map(
    (field) => [field, ''] as const,
  ),
  ...['max_tokens', 'max_completion_tokens', 'max_output_tokens', 'generationConfig'].map(
    (field) => [field, 'maxOutputTokens'] as const,
  ),
  ['temperature', 'temperature'],
  ['response_format', "the provider's structuredOutput"],
  ['output_config', 'reasoning'],
  ['logprobs', "the provider's logprobs"],
  ['top_logprobs', "the provider's logprobs"],
]);
/** What they make of a call costs more than its tokens at the model's price. */
const COSTLY_FIELDS = ['models', 'best_of', 'candidate_count', 'tools', 'plugins', 'web_search_options', 'prediction'];
/** Written where the model has a `reasoning`. */
const REASONING_FIELDS = ['reasoning_effort', 'reasoning', 'thinking', 'chat_template_kwargs'];

/** The fields that go with every request of a model: its provider's, and its own, which win. */
export function resolveRequest(
  model: Pick<RawModel, 'request' | 'reasoning'>,
  provider: Pick<ProviderConfig, 'name' | 'request'>,
  at: string,
  problems: string[],
): { readonly request?: JsonFields } {
  const request = { ...provider.request, ...model.request };
  for (const field of Object.keys(request)) {
    const where = model.request?.[field] === undefined ? `providers.${provider.name}.request` : `${at}.request`;
    const problem = problemOf(field, model.reasoning !== undefined);
    if (problem !== undefined && !problems.includes(`${where}.${field}: ${problem}`)) {
      problems.push(`${where}.${field}: ${problem}`);
    }
  }
  return Object.keys(request).length === 0 ? {} : { request };
}

function problemOf(field: string, hasReasoning: boolean): string | undefined {
  const setting = OWN_FIELDS.get(field);
  if (setting !== undefined) {
    return `the program writes this field itself; ${setting === '' ? 'leave it out' : `set ${setting} in its place`}`;
  }
  if (COSTLY_FIELDS.includes(field)) return 'with it a call may cost more than its price says, so it cannot be sent';
  if (hasReasoning && REASONING_FIELDS.includes(field)) return "the model's reasoning writes this field; leave one out";
  return undefined;
}
