/**
 * Names of spans and their attributes. Those that begin with `gen_ai.`, `error.` and `server.` are of the semantic conventions for
 * generative AI (github.com/open-telemetry/semantic-conventions-genai, docs/gen-ai/client-inference.md at commit 024a4f94), which
 * are in development. `gen_ai.usage.cost.*` is of pull request 443 there, not yet merged.
 */
export const TRACE_NAMES = {
  operation: 'gen_ai.operation.name',
  provider: 'gen_ai.provider.name',
  requestModel: 'gen_ai.request.model',
  maxTokens: 'gen_ai.request.max_tokens',
  temperature: 'gen_ai.request.temperature',
  responseId: 'gen_ai.response.id',
  responseModel: 'gen_ai.response.model',
  finishReasons: 'gen_ai.response.finish_reasons',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  cachedTokens: 'gen_ai.usage.cache_read.input_tokens',
  reasoningTokens: 'gen_ai.usage.reasoning.output_tokens',
  cost: 'gen_ai.usage.cost.amount',
  currency: 'gen_ai.usage.cost.currency',
  costSource: 'gen_ai.usage.cost.source',
  error: 'error.type',
  batch: 'nightmill.batch',
  workflow: 'nightmill.workflow',
  tenant: 'nightmill.tenant',
  slice: 'nightmill.slice',
  document: 'nightmill.document.position',
  tier: 'nightmill.tier',
  model: 'nightmill.model',
  outcome: 'nightmill.outcome',
  state: 'nightmill.state',
  documents: 'nightmill.documents',
} as const;

/** What the conventions call a provider, by the end of its server's name. */
const PROVIDERS: readonly (readonly [string, string])[] = [
  ['openai.com', 'openai'],
  ['azure.com', 'azure.ai.openai'],
  ['anthropic.com', 'anthropic'],
  ['googleapis.com', 'gcp.gemini'],
  ['groq.com', 'groq'],
  ['mistral.ai', 'mistral_ai'],
  ['deepseek.com', 'deepseek'],
  ['x.ai', 'x_ai'],
  ['perplexity.ai', 'perplexity'],
  ['cohere.com', 'cohere'],
  ['cohere.ai', 'cohere'],
  ['moonshot.ai', 'moonshot_ai'],
];

/** @param name in the config, which stands for a server that the conventions do not know */
export function providerName(host: string, name: string): string {
  const known = PROVIDERS.find(([end]) => host === end || host.endsWith(`.${end}`));
  return known?.[1] ?? name;
}
